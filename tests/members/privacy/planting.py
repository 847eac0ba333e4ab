"""A person of whom every part of the studio knows something, put there through its doors."""

import io
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management import call_command

from apps.activity.models import ImportRow
from apps.approvals.services.asking import attach, comment
from apps.members import services
from apps.members.importing import services as importing
from apps.members.importing.mapping import ColumnMapping
from apps.members.models import Member, MemberImport
from apps.members.querysets import named_member
from apps.points.models import Account
from apps.points.services import adjust, hold, redeem, void
from apps.points.services.adjusting import Adjustment, ask_adjustment
from apps.points.services.batches import post_batch, stage_batch
from apps.rules.holding import decide_held
from apps.rules.models import HeldEvent
from tests.api.conftest import make_caller
from tests.approvals.conftest import Desk, role, step
from tests.members.privacy.walking import Person
from tests.rules.conftest import PER_YUAN, make_till, publish

CANARY = Person(
    "司马相如", "1987-06-05",
    (("phone", "13987650011"), ("email", "canary.person@canary-mail.example"), ("card", "CANARY0077"), ("external", "old:canary-4711")),
    ("canary-story", "金丝雀的故事", "canary-device", "canary-order"),
)  # fmt: skip
PHONE, EMAIL, CARD, EXTERNAL = (value for _kind, value in CANARY.named)
STORY = f"canary-story: {CANARY.name} called from {PHONE}"
STORY_ZH = f"金丝雀的故事：{CANARY.name}（{EMAIL}）来电"
HEADER = "card,name,phone,email,birthday,store,points,city\n"


@dataclass
class Planted:
    desk: Desk
    member: Member
    waiting: MemberImport
    """A file that was checked and names them."""
    uploaded: MemberImport
    """One that nobody has mapped, and names them."""


def plant(desk: Desk, folder: Path) -> Planted:
    """Everything that can be known of them; nothing of it in the way of an erasure."""
    group, when = desk.group, desk.when
    crm = make_caller(group, code="crm")
    named = [{"kind": "phone", "value": PHONE}, {"kind": "external", "value": EXTERNAL}]
    enrolled = {"identifiers": named, "name": CANARY.name, "birth_on": CANARY.born, "home_unit": "S001"}
    crm.post("members", enrolled, **{"idempotency-key": f"enrol-{PHONE}"})
    member = named_member("phone", PHONE)
    assert member is not None
    _files(desk)
    _service(desk, member)
    _points(desk, member)
    _requests(desk, member)
    _events(desk, folder)
    waiting = _checked(
        desk, f"{CARD},{CANARY.name},{PHONE},{EMAIL},{CANARY.born},S001,30,{STORY}\nC9,Ann,13800000009,,,S001,4,Ulm\n"
    )
    uploaded = importing.bring(
        None, io.BytesIO((HEADER + ",司马相如,139 8765 0011,,,S001,1,\n").encode()), "new.csv", group.east, when=when
    )
    return Planted(desk, Member.objects.get(pk=member.pk), waiting, uploaded)


def _checked(desk: Desk, rows: str) -> MemberImport:
    job = importing.bring(None, io.BytesIO((HEADER + rows).encode()), "old.csv", desk.group.east, when=desk.when)
    mapping = ColumnMapping.model_validate(job.mapping)
    importing.map_columns(None, job.pk, mapping, when=desk.when)
    return importing.check(job.pk, when=desk.when)


def _files(desk: Desk) -> None:
    """Taken in with another name for them, and refused in a second row."""
    job = _checked(
        desk,
        f"{CARD},{CANARY.name},{PHONE},{EMAIL},{CANARY.born},S002,50,{STORY_ZH}\n,{CANARY.name},{PHONE},,1987-13-40,S001,,\n",
    )
    importing.start(None, job.pk, when=desk.when)
    importing.run(job.pk, clock=lambda: desk.when)


def _service(desk: Desk, member: Member) -> None:
    actor: Any = desk.cast["service"]
    services.change_member(actor, member.pk, attributes={"story": STORY, "故事": STORY_ZH}, when=desk.when)
    services.change_member(actor, member.pk, name=f"{CANARY.name}二", when=desk.when)
    services.change_member(actor, member.pk, name=CANARY.name, when=desk.when)
    services.close_member(actor, member.pk, reason=STORY, when=desk.when)
    services.reopen_member(actor, member.pk, reason=STORY_ZH, when=desk.when)
    services.reveal(actor, member.pk, reason=STORY, when=desk.when)
    services.search(actor, PHONE)
    services.search(actor, EMAIL)


def _points(desk: Desk, member: Member) -> None:
    kind, when = desk.group.point_types["east"], desk.when
    adjust(None, member.pk, kind.pk, 100, reason=STORY, key=f"goodwill {PHONE}", when=when)
    account = Account.objects.get(member=member)
    redeem(None, account.pk, 10, key=f"till {CARD}", unit=desk.group["S001"], reason=STORY_ZH, when=when)
    held = hold(None, account.pk, 5, key=f"hold {EMAIL}", unit=desk.group["S001"], reason=STORY, when=when)
    void(None, held.pk, when=when)
    file = f"member,points,note\n{CARD},7,{STORY_ZH[:60]}\n"
    batch = stage_batch(None, io.BytesIO(file.encode()), "many.csv", desk.group.east, when=when)
    post_batch(None, batch.pk, reason="opening", key="batch", when=when)
    stage_batch(
        None,
        io.BytesIO(file.replace("7,", "x,").encode()),
        "draft.csv",
        desk.group.east,
        when=when,
    )


def _requests(desk: Desk, member: Member) -> None:
    kind = desk.group.point_types["east"]
    desk.policy({"bands": [], "otherwise": "at_once"}, "EAST", Adjustment.code)
    adjust(desk.cast["service"], member.pk, kind.pk, 1, reason=STORY, key="free", when=desk.when)
    bands = [{"name": "All", "when": {"all": []}, "steps": [step(role("regional_manager"))]}]
    desk.policy({"bands": bands, "otherwise": "at_once"}, "EAST", Adjustment.code)
    request = ask_adjustment(
        desk.cast["service"], Adjustment(member=member.pk, point_type=kind.pk, points=20), reason=STORY_ZH, key="asked",
        when=desk.when,
    )  # fmt: skip
    comment(desk.cast["service"], request.pk, STORY, when=desk.when)
    attach(desk.cast["service"], request.pk, f"{CANARY.name}.txt", STORY.encode(), when=desk.when)
    desk.decide("regional_manager", request, comment=STORY_ZH)


def _events(desk: Desk, folder: Path) -> None:
    make_till(desk.group)
    publish(desk.group, PER_YUAN)
    publish(
        desk.group,
        {"effect": "hold_for_review", "reason": "Large order"},
        condition={"all": [{"field": "event.amount", "op": "ge", "value": "1000"}]},
    )
    caller = make_caller(desk.group, code="pos")
    event = {
        "kind": "purchase", "member": {"kind": "card", "value": CARD}, "occurred_at": desk.when.isoformat(), "store": "S001",
        "lines": [{"sku": "LATTE", "category": "coffee", "quantity": 1, "amount": "32.80"}],
    }  # fmt: skip
    told = {
        **event,
        "key": f"p-{PHONE}",
        "order_no": "canary-order",
        "device": "canary-device",
        "attributes": {"note": STORY},
    }
    assert caller.post("events", told).status_code == 201
    large = [{"sku": "MACHINE", "category": "goods", "quantity": 1, "amount": "1500"}]
    assert caller.post("events", {**event, "key": "large", "lines": large}).status_code == 201
    decide_held(None, HeldEvent.objects.get(), "released", reason=STORY, when=desk.when + timedelta(days=1))
    path = folder / "events.csv"
    path.write_text(
        "event_key,kind,member,occurred_at,member_kind,store,amount\n"
        f"c1,purchase,{PHONE},2026-05-01T10:00:00,phone,NOWHERE,12.00\n"
        f"c2,purchase,{CARD},yesterday,card,S001,12.00\n"
    )
    with suppress(SystemExit):
        call_command("import_events", str(path), program="east", stdout=io.StringIO(), stderr=io.StringIO())
    path.unlink()
    assert ImportRow.objects.count() == 2
