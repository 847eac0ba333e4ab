"""What this room, and the requests below it, know of a member over time; see `timeline`."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Expression, F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from apps.approvals.models import ApprovalRequest
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.members.changes import TAG, FieldChange
from apps.members.choices import either
from apps.members.models import Consent, Erasure, Look, Member, MemberChange, Merge
from apps.members.page import Asked
from apps.members.timeline import Mark, Moment, Row, Source, called, register
from apps.members.words import OWN_DATA, change_in_words, fields_in_words
from apps.orgs.gate import ABOUT, kinds
from apps.orgs.models import OrgUnit

AUTHOR: Expression = Coalesce(called("actor"), F("client__name"))
"""Who did it, of a row that is `Authored`; None is the studio itself."""


# Changes of what is known of them.


def changes_of(asked: Asked) -> "QuerySet[Any]":
    """But for tags given by hand, of which the room that knows what they are called tells."""
    changes = MemberChange.objects.visible_to(asked.person).filter(member=asked.member)
    return changes.exclude(changes__0__field__startswith=TAG)


def tell_changes(asked: Asked, rows: list[Row]) -> Iterable[Moment]:
    """One query where the member was moved."""
    made = {row.id: [FieldChange.model_validate(each) for each in row.facts["changes"]] for row in rows}
    moves = {text for changes in made.values() for each in changes if each.field == "home_unit"
             for text in (each.old, each.new) if text}  # fmt: skip
    seen = OrgUnit.objects.visible_to(asked.person).filter(pk__in=moves) if moves else ()
    names = {str(unit.pk): unit.name for unit in seen}
    page = address("members_member_history", asked.member.pk)
    for row in rows:
        told = [change_in_words(each, lambda text: names.get(text, _("beyond your reach"))) for each in made[row.id]]
        is_new = row.facts["kind"] == MemberChange.Kind.CREATED
        yield Moment(
            row, _("Enrolled") if is_new else _("Particulars changed"),
            detail=row.facts["reason"], who=row.facts["who"] or _("The studio"), address=page,
            icon="person_add" if is_new else "", template="members/moment_changes.html" if told else "", more=told,
            in_file=[f"{each.label}: {each.old} → {each.new}" for each in told],
        )  # fmt: skip


register(
    Source(
        "change", gettext_lazy("Changes"), "edit", "members.view_memberchange", changes_of, "at",
        {"kind": "kind", "changes": "changes", "reason": "reason", "who": AUTHOR}, tell_changes, 40,
    )
)  # fmt: skip


# Looks at personal data, and files of the timeline.


def looks_of(asked: Asked) -> "QuerySet[Any]":
    return Look.objects.visible_to(asked.person).filter(member=asked.member)


def tell_looks(asked: Asked, rows: list[Row]) -> Iterable[Moment]:
    for row in rows:
        what, icon = row.facts["what"], LOOK_ICONS.get(row.facts["kind"], "")
        title, notes = str(Look.Kind(row.facts["kind"]).label), [what] if what else []
        if row.facts["kind"] == Look.Kind.REVEAL:
            notes = [fields_in_words(what)] if what else []
        elif row.facts["kind"] == Look.Kind.EXPORT:
            title, notes = _("Own data as a file") if what == OWN_DATA else _("Timeline taken as a file"), []
        yield Moment(
            row, title, detail=row.facts["reason"], who=row.facts["who"] or _("The studio"), notes=notes,
            address=address("members_look_change", row.id), icon=icon,
        )  # fmt: skip


LOOK_ICONS = {Look.Kind.SEARCH: "search", Look.Kind.EXPORT: "download"}

register(
    Source(
        "look", gettext_lazy("Looks at personal data"), "visibility", "members.view_look", looks_of, "at",
        {"kind": "kind", "what": "what", "reason": "reason", "who": AUTHOR}, tell_looks, 60,
    )
)  # fmt: skip


# What others were asked to decide.


def requests_of(asked: Asked) -> "QuerySet[Any]":
    """Those that went to somebody: what was done at once has its own place in the timeline."""
    requests = ApprovalRequest.objects.visible_to(asked.person)
    return requests.filter(kind__in=kinds(), about=f"member:{asked.member.pk}", steps__gt=0)


TONES = {
    ApprovalRequest.State.OPEN: "warn", ApprovalRequest.State.RETURNED: "warn", ApprovalRequest.State.REJECTED: "bad",
    ApprovalRequest.State.DONE: "good",
}  # fmt: skip


def tell_requests(asked: Asked, rows: list[Row]) -> Iterable[Moment]:
    for row in rows:
        kind = kinds()[row.facts["kind"]]
        title = Words(**row.facts["title"]) if row.facts["title"] else kind.label
        state = ApprovalRequest.State(row.facts["state"])
        yield Moment(
            row, title.in_language(get_language() or "en").replace(ABOUT, str(asked.member)),
            detail=row.facts["reason"], who=row.facts["who"] or _("The studio"), icon=kind.icon,
            mark=Mark(str(state.label), TONES.get(state, "")),
            address=address("approvals_approvalrequest_change", row.id),
        )  # fmt: skip


register(
    Source(
        "request", pgettext_lazy("in a timeline", "Requests"), "approval", "approvals.view_approvalrequest", requests_of, "created_at",
        {"kind": "kind", "title": "title", "state": "state", "reason": "reason", "who": called("requester")}, tell_requests, 30,
    )
)  # fmt: skip


# What they agreed to, and took back.


def consents_of(asked: Asked) -> "QuerySet[Any]":
    return Consent.objects.visible_to(asked.person).filter(member=asked.member)


def tell_consents(asked: Asked, rows: list[Row]) -> Iterable[Moment]:
    for row in rows:
        facts = row.facts
        told = {
            "purpose": either(facts["label"], facts["label_zh"]).in_language(get_language() or "en"),
            "channel": Consent.Channel(facts["channel"]).label,
        }
        words = _("Agreed to %(purpose)s: %(channel)s") if facts["is_given"] else _("Withdrew %(purpose)s: %(channel)s")
        yield Moment(
            row, words % told, detail=str(Consent.Source(facts["source"]).label), who=facts["who"] or _("The studio"),
            icon="thumb_up" if facts["is_given"] else "thumb_down", address=address("members_consent_change", row.id),
        )  # fmt: skip


register(
    Source(
        "consent", gettext_lazy("Consents"), "handshake", "members.view_consent", consents_of, "at",
        {
            "label": "purpose__label", "label_zh": "purpose__label_zh", "channel": "channel", "is_given": "is_given",
            "source": "source", "who": AUTHOR,
        },
        tell_consents, 35,
    )
)  # fmt: skip


# That two members became one, and two again.


def merges_of(asked: Asked) -> "QuerySet[Any]":
    about = Q(kept=asked.member) | Q(gone=asked.member)
    return Merge.objects.visible_to(asked.person).filter(about)


def merges_undone(asked: Asked) -> "QuerySet[Any]":
    return merges_of(asked).filter(undone_at__isnull=False)


def tell_merges(asked: Asked, rows: list[Row]) -> Iterable[Moment]:
    """The other member, by their number alone: whether their name may be seen is for their own page to say."""
    for row in rows:
        is_kept = row.facts["kept"] == asked.member.pk
        other = {"number": row.facts["gone"] if is_kept else row.facts["kept"]}
        if row.code == "merge":
            words = (
                _("Member #%(number)s became part of this one") if is_kept else _("Became part of member #%(number)s")
            )
        else:
            words = _("Taken apart again from member #%(number)s")
        yield Moment(
            row, words % other, detail=row.facts["reason"], who=row.facts["who"] or _("The studio"),
            icon="merge" if row.code == "merge" else "call_split", address=address("members_merge_change", row.id),
        )  # fmt: skip


for _code, _rows, _at, _who, _why in (
    ("merge", merges_of, "at", "author", "reason"), ("mergeundone", merges_undone, "undone_at", "undone_by", "undo_reason"),
):  # fmt: skip
    register(
        Source(
            _code, gettext_lazy("Merges"), "merge", "members.view_merge", _rows, _at,
            {"kept": "kept_id", "gone": "gone_id", "reason": _why, "who": called(_who)}, tell_merges, 45, "merge",
        )
    )  # fmt: skip


# That nothing of them is left.


def erasures_of(asked: Asked) -> "QuerySet[Any]":
    return Erasure.objects.visible_to(asked.person).filter(member=asked.member)


def tell_erasures(asked: Asked, rows: list[Row]) -> Iterable[Moment]:
    for row in rows:
        yield Moment(
            row, str(Member.State.REMOVED.label), detail=str(Erasure.Why(row.facts["why"]).label),
            who=row.facts["who"] or _("The studio"), address=address("members_erasure_change", row.id),
        )  # fmt: skip


register(
    Source(
        "erasure", gettext_lazy("Erasure"), "person_off", "members.view_erasure", erasures_of, "at",
        {"why": "why", "who": AUTHOR}, tell_erasures, 70,
    )
)  # fmt: skip
