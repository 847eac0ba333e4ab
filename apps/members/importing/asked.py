"""What is asked for before a file of members is taken in or taken back: a policy may hold both."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

import orjson

from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.formats import number
from apps.members.importing.bringing import PERMISSION
from apps.members.importing.models import MemberImport
from apps.members.importing.parts import LABELS, parts
from apps.members.quality.standing import prospect_of
from apps.orgs.gate import Subject, SubjectGone
from apps.orgs.models import OrgUnit, Staff

FIELDS = (
    Field("request.rows", Type.INTEGER, Words("the number of rows", "行数"), "request.rows"),
    Field("request.new", Type.INTEGER, Words("the number of new members", "新会员数"), "request.new"),
    Field("request.changed", Type.INTEGER, Words("the number of members that change", "变更的会员数"), "request.changed"),
    Field("request.refused", Type.INTEGER, Words("the number of rows left out", "未导入的行数"), "request.refused"),
    Field("request.points", Type.INTEGER, Words("the points they bring", "带入的积分"), "request.points"),
    Field("request.accuracy", Type.NUMBER, Words("the accuracy of the data after it, in %", "导入后的数据准确率（%）"), "request.accuracy"),
    Field("request.money", Type.NUMBER, Words("what the points cost", "积分成本"), "request.money"),
)  # fmt: skip
LABELS |= {
    "file": Words("File", "文件"),
    "source": Words("Source", "来源"),
    "rows": Words("Rows", "行数"),
    "new": Words("New members", "新会员"),
    "changed": Words("Members that change", "变更的会员"),
    "same": Words("Members that stay as they are", "无变化的会员"),
    "left_out": Words("Rows left out", "未导入的行"),
    "accuracy": Words("Accuracy of the data", "数据准确率"),
    "gone": Words("Members who go", "移除的会员"),
}
TITLE = Words("Take in {file}: {new} new members", "导入 {file}：{new} 位新会员")
TITLE_BACK = Words("Take back {file}", "撤回 {file}")


def digest_of(job: MemberImport) -> str:
    """Names what would be taken in: the file, how it is read, and what was decided."""
    told = [
        bytes(job.file_hash).hex(), job.layout, job.mapping, job.source, job.mode, job.decisions, job.counts,
        str(job.started_at),
    ]  # fmt: skip
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()


class OfFile(Subject):
    permission: ClassVar[str] = PERMISSION
    view: ClassVar[str] = "members.view_memberimport"
    icon: ClassVar[str] = "group_add"
    fields: ClassVar = FIELDS
    labels: ClassVar[Mapping[str, Words]] = LABELS

    job: int
    digest: str

    def read_job(self) -> MemberImport:
        """Raises SubjectGone where it is not there any more as it was."""
        job = MemberImport.objects.select_related("program__unit").filter(pk=self.job).first()
        if job is None or (job.state in self._states() and digest_of(job) != self.digest):
            raise SubjectGone()
        return job

    def _states(self) -> tuple[str, ...]:
        """In which it can still be asked for."""
        return (MemberImport.State.CHECKED,)

    def place(self) -> OrgUnit:
        return self.read_job().program.unit

    def about(self) -> str:
        return f"memberimport:{self.job}"

    def amount(self) -> int | None:
        """The points that the file brings."""
        return int(self._brought(self.read_job()).get("points", 0))

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        job = self.read_job()
        counts, prospect = job.counts, prospect_of(job)
        accuracy = prospect.after.pct if prospect is not None else None
        return {
            "accuracy": None if accuracy is None else Decimal(f"{accuracy:.1f}"), "rows": job.rows_read, "new": counts.get("new", 0), "changed": counts.get("changed", 0),
            "refused": counts.get("refused", 0) + counts.get("question", 0), **self._brought(job),
        }  # fmt: skip

    def _brought(self, job: MemberImport) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        for part in parts():
            facts |= part.facts(job)
        return facts

    def title(self) -> Words:
        job = self.read_job()
        return TITLE.format(file=job.file_name, new=number(job.counts.get("new", 0)))

    def address(self) -> str:
        return address("members_memberimport_change", self.job)

    def form_address(self) -> str:
        return self.address()
