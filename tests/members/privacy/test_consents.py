"""Consents: per purpose and channel, with proof, never changed; by hand and over the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.core.errors import NotAllowed
from apps.members.errors import AttributeKeyTaken
from apps.members.models import Consent, ConsentPurpose, Member
from apps.members.privacy.consenting import (
    change_purpose,
    consents_of,
    create_purpose,
    purposes_of,
    record_consent,
    standing,
)
from apps.members.privacy.erasing import erase
from apps.members.privacy.errors import ProofMissing, PurposeRetired, PurposeUnknown, WordingMissing
from tests.api.conftest import make_caller
from tests.factories import Cast, CoffeeGroup
from tests.members.conftest import WHEN

LATER = WHEN + timedelta(days=1)
WORDS: Any = {
    "label": "Offers", "label_zh": "优惠", "wording": "We tell you of offers.", "wording_zh": "我们向您发送优惠。", "when": WHEN,
}  # fmt: skip
BY_HAND: Any = {"purpose": "offers", "channel": "sms", "source": "hand", "when": WHEN}


@pytest.fixture
def offers(group: CoffeeGroup) -> ConsentPurpose:
    return create_purpose(None, group["EAST"], key="offers", **WORDS)


def test_the_newest_word_counts_and_every_word_stays_with_its_wording(
    cast: Cast, wang: Member, offers: ConsentPurpose
) -> None:
    actor = cast["service"]
    record_consent(actor, wang.pk, is_given=True, proof="form 7", **BY_HAND)
    change_purpose(None, offers.pk, wording="We tell you of offers each week.", when=LATER)
    record_consent(actor, wang.pk, is_given=False, **BY_HAND | {"when": LATER})
    record_consent(actor, wang.pk, is_given=True, proof="call 12", **BY_HAND | {"channel": "phone", "when": LATER})
    (row,) = standing(purposes_of(wang), consents_of(wang))
    assert [each and (each.is_given, each.wording.version) for each in row.channels] == [
        (False, 2), None, (True, 2), None, None, None,
    ]  # fmt: skip
    first = Consent.objects.earliest("pk")
    assert (first.is_given, first.wording.wording, first.proof, first.actor) == (
        True, "We tell you of offers.", "form 7", actor,
    )  # fmt: skip


def test_another_label_is_no_other_wording(offers: ConsentPurpose) -> None:
    change_purpose(None, offers.pk, label="News", wording="We tell you of offers. ", when=LATER)
    assert list(offers.wordings.values_list("version", flat=True)) == [1]
    with pytest.raises(WordingMissing):
        change_purpose(None, offers.pk, wording_zh=" ", when=LATER)


def test_what_is_given_needs_a_proof_and_a_purpose_in_use(
    cast: Cast, group: CoffeeGroup, wang: Member, offers: ConsentPurpose
) -> None:
    actor = cast["service"]
    create_purpose(None, group["WEST"], key="western", **WORDS)
    with pytest.raises(ProofMissing):
        record_consent(actor, wang.pk, is_given=True, **BY_HAND)
    with pytest.raises(PurposeUnknown):
        record_consent(actor, wang.pk, is_given=True, proof="x", **BY_HAND | {"purpose": "western"})
    change_purpose(None, offers.pk, is_active=False, when=LATER)
    with pytest.raises(PurposeRetired):
        record_consent(actor, wang.pk, is_given=True, proof="x", **BY_HAND)
    with pytest.raises(NotAllowed):
        record_consent(cast["marketing"], wang.pk, is_given=False, **BY_HAND)
    assert not Consent.objects.exists()
    record_consent(actor, wang.pk, is_given=False, **BY_HAND)
    assert Consent.objects.get().is_given is False


def test_one_key_is_one_purpose_on_the_way_up(group: CoffeeGroup, offers: ConsentPurpose) -> None:
    with pytest.raises(AttributeKeyTaken):
        create_purpose(None, group["G"], key="offers", **WORDS)


def test_the_api_records_and_reads_them(group: CoffeeGroup, wang: Member, offers: ConsentPurpose) -> None:
    caller = make_caller(group)
    sent = {"purpose": "offers", "channel": "app", "given": True, "proof": "screen 12"}
    answer = caller.post(f"members/{wang.pk}/consents", sent, **{"idempotency-key": "one"})
    again = caller.post(f"members/{wang.pk}/consents", sent, **{"idempotency-key": "one"})
    assert (answer.status_code, again.status_code, Consent.objects.count()) == (201, 200, 1)
    told = caller.get(f"members/{wang.pk}/consents").told["consents"]
    assert [{name: each[name] for name in ("purpose", "channel", "given", "version")} for each in told] == [
        {"purpose": "offers", "channel": "app", "given": True, "version": 1}
    ]
    assert Consent.objects.get().source == "api"
    refused = caller.post(f"members/{wang.pk}/consents", {**sent, "channel": "fax"})
    assert (refused.status_code, refused.told["code"]) == (422, "channel_unknown")


def test_the_panel_shows_the_matrix_and_records(
    client: Client, cast: Cast, wang: Member, offers: ConsentPurpose
) -> None:
    client.force_login(cast["service"], backend="apps.orgs.auth.RoleBackend")
    page = f"/members/consent/member/{wang.pk}/"
    sent = {"purpose": "offers", "channel": "sms", "given": "yes", "proof": "form 7"}
    answer = client.post(f"/members/consent/member/{wang.pk}/record/", sent, follow=True)
    body = answer.content.decode()
    assert answer.redirect_chain == [(page, 302)]
    assert "proof: form 7" in body
    assert "given to version 1 of the wording" in body
    refused = client.post(
        f"/members/consent/member/{wang.pk}/record/",
        {**sent, "channel": "phone", "proof": ""},
    )
    told = refused.content.decode()
    assert "Say what proves it" in told
    assert '<details class="studio-fold" open>' in told
    assert '<option value="phone" selected>' in told
    assert Consent.objects.count() == 1


def test_after_an_erasure_the_fact_stays_and_the_words_are_gone(wang: Member, offers: ConsentPurpose) -> None:
    record_consent(None, wang.pk, is_given=True, proof="王小明 signed", **BY_HAND)
    record_consent(None, wang.pk, is_given=False, **BY_HAND)
    erase(None, wang.pk, why="asked", when=LATER)
    assert list(Consent.objects.order_by("pk").values_list("is_given", "proof")) == [(True, "—"), (False, "")]
