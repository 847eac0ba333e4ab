"""By what a programme recognises members, and what is verified of what names them."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.core.errors import NotAllowed
from apps.members import services
from apps.members.errors import IdentifierTaken, NoSuchIdentifier, ReasonMissing, UnknownIdentifierKind
from apps.members.importing import services as importing
from apps.members.merging.order import enrol_or_recognise, set_order
from apps.members.models import MatchingOrder, Member, MemberChange
from apps.members.querysets import kinds_in_use
from tests.factories import Cast, CoffeeGroup
from tests.members.conftest import CARD, PHONE, WHEN

LATER = WHEN + timedelta(days=1)


def enrol(group: CoffeeGroup, *identifiers: tuple[str, str], actor: Any = None, **more: Any) -> Member:
    return enrol_or_recognise(actor, group["S001"], identifiers=identifiers, when=LATER, **more)


def test_without_an_order_who_is_known_is_refused(group: CoffeeGroup, wang: Member) -> None:
    with pytest.raises(IdentifierTaken):
        enrol(group, ("phone", PHONE))
    set_order(None, group.east, ["phone"])
    with pytest.raises(IdentifierTaken):
        enrol(group, ("phone", PHONE))


def test_who_is_known_enrols_as_that_member_with_what_is_new(group: CoffeeGroup, wang: Member) -> None:
    set_order(None, group.east, ["phone", "card"], enrols_known=True)
    assert enrol(group, ("card", "NEW1"), ("phone", PHONE), name="Somebody") == wang
    wang.refresh_from_db()
    assert (wang.masked_name, wang.identifiers.count()) == ("王**", 4)
    assert enrol(group, ("phone", "13900000000")) != wang


def test_the_order_decides_and_two_members_are_not_mixed(group: CoffeeGroup, wang: Member) -> None:
    other = services.create_member(None, group["S001"], identifiers=[("card", "B1")], when=WHEN)
    set_order(None, group.east, ["card", "phone"], enrols_known=True)
    with pytest.raises(IdentifierTaken):
        enrol(group, ("phone", PHONE), ("card", "B1"))
    assert enrol(group, ("card", "B1")) == other
    assert enrol(group, ("card", CARD)) == wang


def test_only_what_is_verified_recognises_where_the_programme_says_so(group: CoffeeGroup, wang: Member) -> None:
    set_order(None, group.east, ["phone"], only_verified=True, enrols_known=True)
    with pytest.raises(IdentifierTaken):
        enrol(group, ("phone", PHONE))
    services.verify(None, wang.identifiers.get(kind="phone").pk, "a code was sent", when=LATER)
    assert enrol(group, ("phone", PHONE), ("card", "CARDN1"), verified=[("card", "CARDN1")]) == wang
    assert wang.identifiers.get(masked="****DN1").verified_at == LATER


def test_whom_nobody_of_the_company_sees_is_not_recognised(group: CoffeeGroup, cast: Cast, wang: Member) -> None:
    set_order(None, group.west, ["phone"], enrols_known=True)
    with pytest.raises(IdentifierTaken):
        enrol_or_recognise(cast["outsider"], group["S101"], identifiers=[("phone", PHONE)], when=LATER)


def test_files_of_the_programme_are_matched_in_its_order(group: CoffeeGroup, cast: Cast) -> None:
    def match() -> list[str]:
        job = importing.bring(None, io.BytesIO(b"card,phone\nC1,13812341234\n"), "a.csv", group.east, when=WHEN)
        return list(job.mapping["match"])

    assert match() == ["card", "phone", "email"]
    set_order(cast["administrator"], group.east, ["external:pos", "phone", " phone "])
    assert match() == ["external:pos", "phone"]
    with pytest.raises(UnknownIdentifierKind):
        set_order(None, group.east, ["Phone!"])
    with pytest.raises(NotAllowed):
        set_order(cast["service"], group.east, ["phone"])


def test_verifying_is_on_record_and_can_be_taken_back(cast: Cast, wang: Member) -> None:
    phone, service = wang.identifiers.get(kind="phone"), cast["service"]
    services.verify(service, phone.pk, "a code was sent", when=LATER)
    phone.refresh_from_db()
    assert phone.verified_at == LATER
    services.unverify(service, phone.pk, "it was his father's", when=LATER)
    phone.refresh_from_db()
    assert phone.verified_at is None
    changes = MemberChange.objects.filter(member=wang).order_by("pk")[1:]
    assert [(row.reason, row.changes) for row in changes] == [
        ("a code was sent", [{"field": "verified:phone", "old": None, "new": "138****1234"}]),
        ("it was his father's", [{"field": "verified:phone", "old": "138****1234", "new": None}]),
    ]
    for refused, verb in (
        (ReasonMissing, lambda: services.verify(service, phone.pk, " ", when=LATER)),
        (NoSuchIdentifier, lambda: services.verify(service, 0, "x", when=LATER)),
        (NotAllowed, lambda: services.verify(cast["auditor"], phone.pk, "x", when=LATER)),
    ):
        with pytest.raises(refused):
            verb()


def order_page(cast: Cast, client: Client, group: CoffeeGroup, *kinds: str) -> tuple[MatchingOrder, Any]:
    """The order of EAST, and what the page answers that is sent those kinds."""
    order = set_order(None, group.east, ["external:pos", "card"])
    client.force_login(cast["administrator"])
    sent = {"program": group.east.pk, "kinds": list(kinds), "_save": "1"}
    answer = client.post(reverse("admin:members_matchingorder_change", args=[order.pk]), sent)
    order.refresh_from_db()
    return order, answer


def test_the_order_is_picked_among_the_kinds_that_are_known(
    cast: Cast, client: Client, group: CoffeeGroup, wang: Member
) -> None:
    services.add_identifier(None, wang.pk, "erp:east", "77", when=LATER)
    services.create_member(None, group["S101"], identifiers=[("erp:west", "78")], when=WHEN)
    assert kinds_in_use(None) == ["card", "email", "erp:east", "erp:west", "phone"]
    client.force_login(cast["administrator"])
    set_order(None, group.east, ["external:pos", "card"])
    page = client.get(reverse("admin:members_matchingorder_change", args=[MatchingOrder.objects.get().pk]))
    form = page.context["adminform"].form
    offered = [kind for kind, _words in form.fields["kinds"].widget.choices]
    assert offered[:4] == ["card", "phone", "email", "external"]
    assert {"erp:east", "external:pos"} <= set(offered)
    html = page.content.decode()
    assert html.count('<select class="studio-input" name="kinds"') == 3
    assert html.index('<option value="external:pos" selected>') < html.index('<option value="card" selected>')


def test_what_is_picked_is_kept_in_its_order_and_once(cast: Cast, client: Client, group: CoffeeGroup) -> None:
    order, answer = order_page(cast, client, group, "phone", "", "card", "phone", "external:till")
    assert answer.status_code == 302
    assert order.kinds == ["phone", "card", "external:till"]


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ([""], "Say at least one kind of identifier."),
        (["Till 7"], "“Till 7”: A kind of identifier has up to 40 small letters, digits and the signs _ : . -"),
        ([f"k{number}" for number in range(11)], "At most 10 kinds of identifier."),
    ],
)
def test_what_is_wrong_with_the_kinds_is_said_at_their_field(
    cast: Cast, client: Client, group: CoffeeGroup, kinds: list[str], said: str
) -> None:
    order, answer = order_page(cast, client, group, *kinds)
    assert answer.context["adminform"].form.errors == {"kinds": [said]}
    assert order.kinds == ["external:pos", "card"]


def test_kinds_of_members_of_another_company_are_not_offered(cast: Cast, group: CoffeeGroup, wang: Member) -> None:
    services.add_identifier(None, wang.pk, "erp:east", "77", when=LATER)
    assert "erp:east" in kinds_in_use(cast["administrator"])
    assert kinds_in_use(cast.outsider) == []
