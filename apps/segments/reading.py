"""Reads of tags that have a name."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Q

from apps.orgs.models import Program
from apps.orgs.querysets import paths_above
from apps.segments.models import Tag
from apps.segments.services.refreshing import is_stale


def programs_followed() -> set[int]:
    """The programmes that have tags which follow events. One query."""
    following = Tag.objects.filter(refresh=Tag.Refresh.AT_ONCE, children__isnull=True, condition__isnull=False)
    return set(following.values_list("program_id", flat=True))


def tags_named(program: Program, keys: Collection[str]) -> dict[str, Tag]:
    """The tags that members at home in the programme's unit may hold, of these keys. One query."""
    near = Q(program__unit__path__in=paths_above(program.unit.path)) | Q(
        program__unit__path__startswith=program.unit.path
    )
    rows = Tag.objects.select_related("program").filter(near, key__in=keys, children__isnull=True)
    return {tag.key: tag for tag in rows.order_by("-program__unit__depth")}


def doubtful(tags: Iterable[Tag], when: datetime) -> list[Tag]:
    """Those that failed, or are older than they may be."""
    return [tag for tag in tags if tag.last_error or is_stale(tag, when)]
