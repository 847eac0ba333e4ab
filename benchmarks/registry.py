"""The benchmarks by name, in the order they run."""

from collections.abc import Callable

from benchmarks.awards import award_batch, award_gathers, award_limits, award_one, hot_members
from benchmarks.deciding import deciding
from benchmarks.evaluating import evaluations
from benchmarks.expiring import expire
from benchmarks.finding import member_search
from benchmarks.importing import import_cdnow
from benchmarks.inboxes import inbox
from benchmarks.joining import import_members
from benchmarks.measuring import Figure
from benchmarks.pages import admin_list, report
from benchmarks.segments import conditions_sql, segment_refresh

BENCHMARKS: dict[str, Callable[[bool], list[Figure]]] = {
    "award_one": award_one,
    "hot_members": hot_members,
    "award_batch": award_batch,
    "award_limits": award_limits,
    "award_gathers": award_gathers,
    "expire": expire,
    "evaluate": evaluations,
    "import_cdnow": import_cdnow,
    "import_members": import_members,
    "admin_list": admin_list,
    "member_search": member_search,
    "report": report,
    "inbox": inbox,
    "deciding": deciding,
    "conditions_sql": conditions_sql,
    "segment_refresh": segment_refresh,
}
