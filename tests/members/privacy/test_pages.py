"""Erasing, its certificate, a member's own data and blocked identifiers, as people meet them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.members import services
from apps.members.models import BlockedIdentifier, Erasure, Identifier, Look, Member
from apps.members.privacy.certificate import as_text, certificate_of
from apps.members.privacy.erasing import MemberErasure, erase
from apps.members.privacy.own_data import own_data
from apps.points.services import adjust
from tests.approvals.conftest import Desk, role, step
from tests.factories import Cast, CoffeeGroup
from tests.members.conftest import BORN, CARD, EMAIL, NAME, PHONE, WHEN

LATER = WHEN + timedelta(days=1)


@pytest.fixture
def browse(client: Client, cast: Cast) -> Any:
    def sign_in(persona: str) -> Client:
        client.force_login(cast[persona], backend="apps.orgs.auth.RoleBackend")
        return client

    return sign_in


def test_the_page_says_what_goes_and_erases_once_the_number_is_typed(
    browse: Any, group: CoffeeGroup, wang: Member
) -> None:
    adjust(None, wang.pk, group.point_types["east"].pk, 120, reason="gift", key="a", when=WHEN)
    service, path = browse("service"), f"/members/erasure/member/{wang.pk}/erase/"
    assert path in service.get(f"/members/member/{wang.pk}/change/").content.decode()
    body = service.get(path).content.decode()
    assert "120 points are left." in body
    assert "What names them: phone, e-mail, cards" in body
    sent = {"why": "asked", "forfeits": "on", "number": str(wang.pk + 1)}
    assert "This is not the number of this member." in service.post(path, sent).content.decode()
    assert (
        "This member still has 120 points."
        in service.post(path, {"why": "asked", "number": f"#{wang.pk}"}).content.decode()
    )
    assert not Erasure.objects.exists()
    answer = service.post(path, {**sent, "number": f"#{wang.pk}"})
    made = Erasure.objects.get()
    assert answer.headers["Location"] == f"/members/erasure/{made.pk}/change/"
    page = service.get(f"/members/member/{wang.pk}/change/").content.decode()
    assert f"Erased member #{wang.pk}" in page
    assert path not in page
    assert "/reverse/" not in page
    assert "Certificate of erasure" in page
    found = service.post("/search/", {"s": f"#{wang.pk}"}).content.decode()
    assert f"Erased member #{wang.pk}" in found
    assert found.count(f"#{wang.pk}") == 1


def test_the_auditor_reads_the_certificate_and_takes_it_as_one_file(browse: Any, wang: Member) -> None:
    erasure = erase(None, wang.pk, why="order", when=WHEN)
    auditor = browse("auditor")
    body = auditor.get(f"/members/erasure/{erasure.pk}/change/").content.decode()
    digest = certificate_of(erasure).digest
    assert digest in body
    assert "An authority or a court ordered it" in body
    file = auditor.get(f"/members/erasure/{erasure.pk}/file/")
    assert file.headers["Content-Disposition"] == f'attachment; filename="erasure-{erasure.pk}.txt"'
    text = file.content.decode()
    assert f"Erased: Erased member #{wang.pk}" in text
    assert "What names them: phone, e-mail, cards: 3 emptied or removed, 0 stay" in text
    assert text.endswith(f"SHA-256: {digest}\n")
    auditor.post("/i18n/setlang/", {"language": "zh-hans"})
    chinese = auditor.get(f"/members/erasure/{erasure.pk}/file/").content.decode()
    assert digest in chinese
    assert "会员标识：手机号、邮箱、卡号" in chinese


def test_a_held_erasure_is_sent_as_a_request(browse: Any, desk: Desk, wang: Member) -> None:
    bands = [{"name": "All", "when": {"all": []}, "steps": [step(role("regional_manager"))]}]
    desk.policy({"bands": bands, "otherwise": "at_once"}, "EAST", MemberErasure.code)
    service, path = browse("service"), f"/members/erasure/member/{wang.pk}/erase/"
    sent = {"why": "asked", "number": str(wang.pk)}
    assert "Those who decide read it." in service.post(path, sent).content.decode()
    answer = service.post(path, {**sent, "send_request": "1", "key": "k", "reason": "on the phone"})
    assert answer.headers["Location"].startswith("/approvals/approvalrequest/")
    assert Member.objects.get(pk=wang.pk).state == "active"


def test_everything_held_of_a_member_leaves_as_one_file_on_record(
    browse: Any, cast: Cast, group: CoffeeGroup, wang: Member
) -> None:
    adjust(None, wang.pk, group.point_types["east"].pk, 120, reason="gift", key="a", when=WHEN)
    services.reveal(cast["service"], wang.pk, reason="caller", when=WHEN)
    service, path = browse("service"), f"/members/erasure/member/{wang.pk}/own-data/"
    assert service.get(path).status_code == 200
    answer = service.post(path, {"purpose": "asked", "language": "en"})
    told = json.loads(b"".join(answer.streaming_content))
    assert told["Name, birthday, attributes"][0]["name"] == NAME
    assert told["Name, birthday, attributes"][0]["birthday"] == BORN.isoformat()
    assert {each["value"] for each in told["What names them: phone, e-mail, cards"]} == {PHONE, EMAIL, CARD}
    assert [(each["points"], each["reason"]) for each in told["Movements of points"]] == [(120, "gift")]
    assert [each["reason"] for each in told["Looks at their personal data"]] == ["caller", "the member asks for it"]
    look = Look.objects.latest("pk")
    assert (look.kind, look.member, look.what, look.reason) == ("export", wang, "own data", "the member asks for it")
    answer = service.post(path, {"purpose": "asked", "language": "zh-hans"})
    assert json.loads(b"".join(answer.streaming_content))["姓名、生日、属性"][0]["姓名"] == NAME
    for persona, status in (("marketing", 403), ("outsider", 404)):
        assert browse(persona).post(path, {"purpose": "asked", "language": "en"}).status_code == status
    assert Look.objects.filter(kind="export").count() == 2


def test_the_file_asks_the_same_number_of_queries_however_much_there_is(group: CoffeeGroup, wang: Member) -> None:
    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            list(own_data(wang, "en", LATER))
        return len(queries)

    kind = group.point_types["east"]
    adjust(None, wang.pk, kind.pk, 120, reason="gift", key="a", when=WHEN)
    few = asked()
    for number in range(30):
        adjust(None, wang.pk, kind.pk, 1, reason="gift", key=f"b{number}", when=WHEN)
    assert asked() == few


def test_own_data_that_no_key_reads_leaves_not_even_in_part(browse: Any, wang: Member) -> None:
    phone, card = (wang.identifiers.get(kind=kind) for kind in ("phone", "card"))
    Identifier.objects.filter(pk=card.pk).update(value_cipher=phone.value_cipher)
    sent = {"purpose": "asked", "language": "en"}
    answer = browse("service").post(f"/members/erasure/member/{wang.pk}/own-data/", sent)
    assert "The personal data cannot be read" in answer.content.decode()
    assert "Content-Disposition" not in answer.headers
    assert not Look.objects.exists()


def test_somebody_who_comes_back_is_let_in_again(browse: Any, wang: Member) -> None:
    erase(None, wang.pk, why="asked", when=WHEN)
    service = browse("service")
    listed = service.get("/members/blockedidentifier/?kind=phone").content.decode()
    assert "/members/blockedidentifier/lift/" in listed
    assert [cell.split("</td>")[0].endswith("Phone") for cell in listed.split("field-kind_shown")[1:]] == [True]
    assert "The studio" not in listed
    assert "E-mail" in listed
    sent = {"kind": "phone", "value": "138 1234 1234", "reason": "came to the store"}
    assert (
        "This is not blocked."
        in service.post("/members/blockedidentifier/lift/", {**sent, "value": "13800000000"}).content.decode()
    )
    assert service.post("/members/blockedidentifier/lift/", sent).status_code == 302
    assert BlockedIdentifier.objects.get(kind="phone").reason == "came to the store"
    assert browse("marketing").get("/members/blockedidentifier/lift/").status_code == 403


def test_a_certificate_tells_nothing_but_numbers_and_words_of_the_studio(wang: Member) -> None:
    text = as_text(certificate_of(erase(None, wang.pk, why="asked", when=WHEN)))
    assert [each for each in (NAME, PHONE, EMAIL, CARD, "138****1234", "王**") if each in text] == []
