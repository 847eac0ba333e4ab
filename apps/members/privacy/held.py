"""What this room and those below it hold of a member."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.approvals.models import ApprovalRequest, Decision, Evidence, RequestNote
from apps.conditions.words import Words
from apps.core.reading import FileRefused
from apps.members.changes import FieldChange
from apps.members.importing import checking, sealed
from apps.members.importing.bringing import end
from apps.members.importing.layout import rows_of
from apps.members.importing.rows import cells_of, layout_of
from apps.members.models import (
    BlockedIdentifier,
    Consent,
    Erasure,
    ErasureLine,
    Identifier,
    Look,
    Member,
    MemberChange,
    MemberImport,
    MemberRow,
    MemberTag,
    RowIdentifier,
)
from apps.members.privacy.holdings import (
    FIGURES,
    Erasing,
    Holding,
    door,
    hindrance,
    of_member,
    register,
    removed,
    through,
)
from apps.members.querysets import definitions_of
from apps.members.services.reading import birthday_of, name_of, value_of
from apps.members.words import attributes_in_words, change_in_words, kind_in_words, seen_in_words
from apps.orgs.gate import kinds
from apps.orgs.models import KeptAnswer

State = MemberImport.State
UNREAD = (MemberRow.State.REFUSED, MemberRow.State.QUESTION)
Told = Mapping[Words, Any]
WHEN, WHO, REASON, KIND = (
    Words("when", "时间"),
    Words("by whom", "操作人"),
    Words("reason", "原因"),
    Words("kind", "类型"),
)
UNIT, NUMBER, STATE = Words("home unit", "所属门店"), Words("number", "编号"), Words("state", "状态")


def _member(member: Member) -> Told:
    return {
        NUMBER: member.pk, Words("name", "姓名"): name_of(member), Words("birthday", "生日"): birthday_of(member),
        UNIT: member.home_unit.name, Words("joined on", "入会日期"): member.joined_on, STATE: member.get_state_display(),
        Words("attributes", "属性"): dict(attributes_in_words(definitions_of(member), member.attributes)), Words("recommended by member", "推荐人会员编号"): member.brought_by_id,
    }  # fmt: skip


def _identifier(row: Identifier) -> Told:
    return {
        KIND: kind_in_words(row.kind), Words("value", "值"): value_of(row), Words("known since", "登记时间"): row.created_at,
        Words("known from", "来源"): row.source,
    }  # fmt: skip


def _tag(row: MemberTag) -> Told:
    return {
        Words("tag", "标签"): row.tag,
        Words("from", "自"): row.from_on,
        Words("until before", "至（不含）"): row.until_on,
    }


def _consent(row: Consent) -> Told:
    return {
        Words("purpose", "用途"): str(row.purpose), Words("channel", "渠道"): row.get_channel_display(),
        Words("given", "同意"): row.is_given, WHEN: row.at, Words("came", "来源"): row.get_source_display(),
        Words("proof", "凭证"): row.proof, Words("version of the wording", "条款版本"): row.wording.version,
    }  # fmt: skip


def _change(row: MemberChange) -> Told:
    changes = [change_in_words(FieldChange.model_validate(each), lambda text: text) for each in row.changes]
    told = [f"{each.label}: {each.old} → {each.new}" for each in changes]
    return {WHEN: row.at, WHO: row.author, REASON: row.reason, Words("changes", "变更"): told}


def _look(row: Look) -> Told:
    return {
        WHEN: row.at, KIND: row.get_kind_display(), WHO: row.author, Words("what was seen", "查看内容"): seen_in_words(row),
        REASON: row.reason, Words("until", "截至"): row.until,
    }  # fmt: skip


def _request(row: ApprovalRequest) -> Told:
    decisions = [
        f"{each.decided_at:%Y-%m-%d} {each.get_verdict_display()} {each.comment}" for each in row.decisions.all()
    ]
    return {
        NUMBER: row.pk, KIND: _kind_of(row.kind), WHEN: row.sent_at, STATE: row.get_state_display(), REASON: row.reason,
        Words("asked by", "申请人"): str(row.requester) if row.requester else "", Words("decisions", "审批意见"): decisions,
    }  # fmt: skip


def _kind_of(code: str) -> str:
    """What requests of a kind are called; the code where no room knows it any more."""
    known = kinds().get(code)
    return known.label.in_language(get_language() or "en") if known is not None else code


def _staged(row: MemberRow) -> Told:
    return {
        Words("file", "文件"): row.job.file_name, Words("row", "行"): row.number, STATE: row.get_state_display(),
        Words("attributes", "属性"): row.attributes,
    }  # fmt: skip


def requests_about(member_id: int) -> QuerySet:
    """The requests for approval about a member, with what was decided."""
    found: QuerySet = ApprovalRequest.objects.filter(about=f"member:{member_id}")
    return found.select_related("requester").prefetch_related("decisions").order_by("pk")


def _about(model: Any) -> Any:
    def rows(member_id: int) -> QuerySet:
        found: QuerySet = model.objects.filter(request__about=f"member:{member_id}").order_by("pk")
        return found

    return rows


def _empty_member(erasing: Erasing) -> int:
    member = erasing.member
    for name in ("name_cipher", "name_grams", "birth_on_cipher", "birth_day", "birth_year", "brought_by"):
        setattr(member, name, None)
    member.state, member.masked_name, member.attributes = Member.State.REMOVED, "", {}
    member.save()
    return 1


# Files of members: rows that named them, and files that still wait on disk.


def _empty_staged(erasing: Erasing) -> int:
    """Empties the rows of all files that named them: taken in, waiting or refused. Those not taken in are left out. What
    is refused may name them in cells that could not be read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, job_id FROM members_memberrow WHERE member_id = %s UNION SELECT r.id, r.job_id"
            " FROM members_rowidentifier n JOIN members_memberrow r ON r.job_id = n.job_id AND r.number = n.number"
            " WHERE n.value_hash = ANY (%s)",
            [erasing.member.pk, erasing.hashes],
        )
        found = dict(cursor.fetchall())
    unread = MemberRow.objects.filter(state__in=UNREAD, cells_cipher__isnull=False).exclude(pk__in=found)
    found |= {
        pk: job_id
        for pk, job_id, cipher in unread.values_list("pk", "job", "cells_cipher").iterator()
        if erasing.is_named_in(cells_of(bytes(cipher or b"")))
    }
    MemberRow.objects.filter(pk__in=found).update(
        member=erasing.member, state=MemberRow.State.LEFT, joined_on=None, name_cipher=None, masked_name="",
        name_grams=None, birth_on_cipher=None, birth_day=None, birth_year=None, attributes={}, findings={}, notes=[],
        changes=[], before=None, cells_cipher=None,
    )  # fmt: skip
    for job in MemberImport.objects.select_for_update(no_key=True).filter(pk__in=set(found.values())):
        if job.state == State.CHECKED:
            checking.count(job)
        if job.state == State.CHECKED or job.rows_done < job.rows_read:
            erasing.files.append(job.path)
    return len(found)


def _remove_names_of_rows(erasing: Erasing) -> int:
    """What named them in those rows, which by now are known to be theirs."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM members_rowidentifier n USING members_memberrow r"
            " WHERE r.member_id = %s AND r.job_id = n.job_id AND r.number = n.number",
            [erasing.member.pk],
        )
        return int(cursor.rowcount)


def _stop_files(erasing: Erasing) -> int:
    """Stops files that nobody has mapped yet and that name them; how many."""
    stopped = 0
    for job in MemberImport.objects.select_for_update(no_key=True).filter(state=State.NEW).order_by("pk"):
        if _names(job, erasing):
            end(job, State.CANCELLED, erasing.when)
            stopped += 1
    return stopped


def _names(job: MemberImport, erasing: Erasing) -> bool:
    """Whether any row of a file names them. What cannot be read might."""
    try:
        with sealed.opened(Path(job.path)) as content:
            return any(erasing.is_named_in(row) for _number, row in rows_of(content, layout_of(job)))
    except FileRefused as refusal:
        return bool(refusal.data.get("reason") != "missing")


def _remove_answers(erasing: Erasing) -> int:
    return int(kept_answers(erasing.member.pk).delete()[0])


def kept_answers(member_id: int) -> QuerySet:
    """What API clients were answered about a member under an Idempotency-Key."""
    found: QuerySet = KeptAnswer.objects.filter(body__has_key="identifiers", body__id=member_id).order_by("pk")
    return found


@door
def blank(erasing: Erasing) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM members_blank(%s, %s)", [erasing.member.pk, list(erasing.masks)])
        return dict(cursor.fetchall())


@hindrance
def waits(member: Member, when: datetime) -> Iterable[str]:
    """Requests about them that are open, and files of members that are on their way."""
    unsettled = (ApprovalRequest.State.OPEN, ApprovalRequest.State.RETURNED)
    is_of_merge = Q(kind="members.merge", subject__gone=member.pk)
    asked = ApprovalRequest.objects.filter(Q(about=f"member:{member.pk}") | is_of_merge, state__in=unsettled)
    asked = asked.exclude(kind="members.erase").order_by("pk")
    if numbers := [f"#{pk}" for pk in asked.values_list("pk", flat=True)]:
        yield _("Requests about this member are open: %(requests)s. Decide on them or withdraw them first.") % {
            "requests": ", ".join(numbers)
        }
    if MemberImport.objects.filter(state=State.CHECKING).exists():
        yield _("A file of members is just being read, and nobody knows yet whom it names. Try again in some minutes.")
    naming = RowIdentifier.objects.filter(
        value_hash__in=list(member.identifiers.values_list("value_hash", flat=True))
    ).values("job")
    jobs = MemberImport.objects.filter(
        Q(pk__in=naming) | Q(pk__in=MemberRow.objects.filter(member=member).values("job"))
    )
    for job in jobs.filter(state__in=(State.RUNNING, State.UNDOING)):
        yield _("“%(file)s”, which names this member, is just being taken in or back. Try again in some minutes.") % {
            "file": job.file_name
        }
    about = [f"memberimport:{pk}" for pk in jobs.filter(state=State.CHECKED).values_list("pk", flat=True)]
    if ApprovalRequest.objects.filter(about__in=about, state__in=unsettled).exists():
        yield _("A file of members that names this member waits for approval. Decide on it or withdraw it first.")


WORDS_GO = Words(
    "That it happened, when and by whom stays as proof; the words are gone",
    "何时、由谁所为予以保留作为凭证；文字内容已清除",
)
register(
    Holding(
        KeptAnswer, Words("Answers kept for API clients", "为接口客户端保留的应答"), kept_answers, erase=_remove_answers,
    ),
    Holding(ApprovalRequest, Words("Requests for approval about them", "与其有关的审批申请"), requests_about, _request, stays=WORDS_GO),
    Holding(Decision, Words("Comments of approvers", "审批人意见"), _about(Decision), stays=WORDS_GO),
    Holding(RequestNote, Words("The story of such requests", "申请过程记录"), _about(RequestNote), stays=WORDS_GO),
    Holding(
        Evidence, Words("Files attached to such requests", "申请所附文件"), _about(Evidence),
        stays=Words("That a file was attached stays; the file and its name are gone", "曾附文件这一事实予以保留；文件及其名称已清除"),
    ),
    Holding(
        MemberRow, Words("Rows of files of members", "会员文件中的行"), of_member(MemberRow, "job"), _staged, _empty_staged,
        Words("Empty rows stay, so that a file still counts as it did", "保留空行，使文件行数不变"),
    ),
    Holding(
        RowIdentifier, Words("What named them in such rows", "文件行中的会员标识"), of_member(RowIdentifier),
        erase=_remove_names_of_rows,
    ),
    Holding(
        MemberImport, Words("Files of members that nobody had checked and that name them", "尚未检查且包含其信息的会员文件"),
        lambda member_id: MemberImport.objects.none(), erase=_stop_files,
    ),
    Holding(
        Identifier, Words("What names them: phone, e-mail, cards", "会员标识：手机号、邮箱、卡号"), of_member(Identifier), _identifier,
        removed(of_member(Identifier)),
    ),
    Holding(MemberTag, Words("Tags", "标签"), of_member(MemberTag), _tag, removed(of_member(MemberTag))),
    Holding(
        Consent, Words("Consents", "同意记录"), of_member(Consent, "purpose", "wording", "actor", "client"), _consent,
        stays=Words("That consent was given or withdrawn stays as proof; the words are gone", "同意或撤回的事实予以保留作为凭证；文字内容已清除"),
    ),
    Holding(MemberChange, Words("History of changes", "变更历史"), of_member(MemberChange, "actor", "client"), _change, stays=WORDS_GO),
    Holding(
        Look, Words("Looks at their personal data", "个人信息查看记录"), of_member(Look, "actor", "client"), _look, stays=WORDS_GO
    ),
    Holding(
        Member, Words("Name, birthday, attributes", "姓名、生日、属性"),
        lambda member_id: Member.objects.filter(pk=member_id).select_related("home_unit"), _member, _empty_member,
        Words(
            "A number, the home unit and the joining date stay: the books and reports count by them",
            "保留编号、所属门店和入会日期：账目和报表据此统计",
        ),
    ),
    Holding(
        Erasure, Words("This certificate", "本证明"), of_member(Erasure),
        stays=Words("It is the proof that they were erased", "它是已删除的凭证"),
    ),
    Holding(ErasureLine, Words("Lines of this certificate", "本证明各行"), through(ErasureLine, "erasure__member"), stays=FIGURES),
    Holding(
        BlockedIdentifier, Words("Keyed hashes that keep them from coming back unasked", "防止未经本人同意再次录入的密钥哈希"),
        lambda member_id: BlockedIdentifier.objects.none(),
        stays=Words("They lead to no member and no person", "它们不指向任何会员或个人"),
    ),
)  # fmt: skip
