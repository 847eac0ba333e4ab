"""Consents: what members agree to, by purpose and channel, each with its proof. Nothing is changed; another row says otherwise."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.members.errors import AttributeKeyMalformed, AttributeKeyTaken, AttributeUnitUnfit
from apps.members.models import Consent, ConsentPurpose, ConsentWording, Member
from apps.members.privacy.errors import (
    ChannelUnknown,
    ProofMissing,
    PurposeRetired,
    PurposeUnknown,
    WordingMissing,
)
from apps.members.services.rows import author_of, locked
from apps.orgs.models import OrgUnit, Staff
from apps.orgs.querysets import paths_above

ADD, CHANGE = "members.add_consentpurpose", "members.change_consentpurpose"
PERMISSION = "members.add_consent"
CHANGEABLE = ("label", "label_zh", "is_active", "position")
WORDINGS = ("wording", "wording_zh")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")
Channel, Source = Consent.Channel, Consent.Source


@in_transaction
def create_purpose(
    actor: Any, unit: OrgUnit, *, key: str, wording: str, wording_zh: str, when: datetime, **values: Any
) -> ConsentPurpose:
    """A new purpose for the members of `unit`, with its first wording.

    Raises AttributeUnitUnfit, AttributeKeyMalformed, AttributeKeyTaken, WordingMissing, NotAllowed.
    """
    require(actor, ADD, unit.path)
    if unit.kind not in (OrgUnit.Kind.GROUP, OrgUnit.Kind.COMPANY):
        raise AttributeUnitUnfit()
    if not _KEY.fullmatch(key):
        raise AttributeKeyMalformed()
    above = paths_above(unit.path)
    # Whoever names one for the same members at the same time waits here: no constraint sees across units.
    OrgUnit.objects.select_for_update(no_key=True).get(path=above[0])
    on_the_way = Q(unit__path__in=above) | Q(unit__path__startswith=unit.path)
    if ConsentPurpose.objects.filter(on_the_way, key=key).exists():
        raise AttributeKeyTaken(key=key)
    purpose = ConsentPurpose(unit=unit, key=key, **{name: values[name] for name in CHANGEABLE if name in values})
    purpose.save()
    _reword(purpose, actor, wording, wording_zh, when)
    return purpose


@in_transaction
def change_purpose(actor: Any, purpose_id: int, *, when: datetime, **values: Any) -> ConsentPurpose:
    """The purpose with other labels, or out of use; another wording becomes its next version. Raises WordingMissing,
    NotAllowed."""
    purpose: ConsentPurpose = (
        ConsentPurpose.objects.select_for_update(no_key=True, of=("self",)).select_related("unit").get(pk=purpose_id)
    )
    require(actor, CHANGE, purpose.unit.path)
    for name in CHANGEABLE:
        if name in values:
            setattr(purpose, name, values[name])
    purpose.save()
    now = wording_of(purpose)
    wording, wording_zh = (values.get(name, getattr(now, name)).strip() for name in WORDINGS)
    if (wording, wording_zh) != (now.wording, now.wording_zh):
        _reword(purpose, actor, wording, wording_zh, when)
    return purpose


def _reword(purpose: ConsentPurpose, actor: Any, wording: str, wording_zh: str, when: datetime) -> None:
    if not (wording.strip() and wording_zh.strip()):
        raise WordingMissing()
    latest = purpose.wordings.order_by("-version").values_list("version", flat=True).first() or 0
    ConsentWording.objects.create(
        purpose=purpose, version=latest + 1, wording=wording.strip(), wording_zh=wording_zh.strip(),
        written_by=actor if isinstance(actor, Staff) else None, written_at=when,
    )  # fmt: skip


def wording_of(purpose: ConsentPurpose) -> ConsentWording:
    """What people read now."""
    latest: ConsentWording = purpose.wordings.order_by("-version")[0]
    return latest


def purposes_of(member: Member) -> list[ConsentPurpose]:
    """What the member can be asked for, in order; with those no longer in use. One query."""
    above = paths_above(member.home_unit.path)
    return list(ConsentPurpose.objects.filter(unit__path__in=above).order_by("position", "pk"))


def consents_of(member: Member) -> list[Consent]:
    """Everything the member agreed to and withdrew, the latest first. One query."""
    rows = Consent.objects.filter(member=member).select_related("purpose", "wording", "actor", "client")
    return list(rows.order_by("-pk"))


@dataclass(frozen=True)
class Standing:
    """One purpose: how it stands by channel, None where nothing was ever said."""

    purpose: ConsentPurpose
    channels: tuple[Consent | None, ...]


def standing(purposes: Iterable[ConsentPurpose], consents: Iterable[Consent]) -> list[Standing]:
    """The newest of each purpose and channel; `consents` have the latest first."""
    newest: dict[tuple[int, str], Consent] = {}
    for each in consents:
        newest.setdefault((each.purpose_id, each.channel), each)
    return [
        Standing(purpose, tuple(newest.get((purpose.pk, channel)) for channel in Channel.values))
        for purpose in purposes
    ]


@in_transaction
def record_consent(
    actor: Any,
    member_id: int,
    *,
    purpose: str,
    channel: str,
    is_given: bool,
    source: str,
    proof: str = "",
    when: datetime,
) -> Consent:
    """The consent that was given, or withdrawn, to the wording of now. What is given needs a proof.

    Raises PurposeUnknown, PurposeRetired, ChannelUnknown, ProofMissing, MemberErased, NoSuchMember, NotAllowed.
    """
    member = locked(actor, member_id, PERMISSION)
    asked = {each.key: each for each in purposes_of(member)}.get(purpose)
    if asked is None:
        raise PurposeUnknown()
    if channel not in Channel.values:
        raise ChannelUnknown()
    if is_given and not asked.is_active:
        raise PurposeRetired()
    if is_given and not proof.strip():
        raise ProofMissing()
    made: Consent = Consent.objects.create(
        member=member, purpose=asked, channel=channel, is_given=is_given, wording=wording_of(asked),
        source=Source(source), proof=proof.strip()[:500], at=when, **author_of(actor),
    )  # fmt: skip
    return made
