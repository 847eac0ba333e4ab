"""The pages of batches of codes: drafted with live odds, made, downloaded on record, stopped; a code redeemed by hand."""

import csv
import io
from typing import Any

from django.test import Client
from django.urls import reverse

from apps.core.clock import now
from apps.rules.codes import services
from apps.rules.codes.models import CodeBatch, CodeDownload, CodeUse
from apps.rules.codes.reading import standing_of
from tests.factories import Cast, CoffeeGroup
from tests.rules.codes import made, redeeming
from tests.rules.conftest import Till, publish

LIST, ADD = "admin:rules_codebatch_changelist", "admin:rules_codebatch_add"


def page(name: str, pk: Any) -> str:
    return reverse(f"admin:rules_codebatch_{name}", args=[pk])


def signed_in(client: Client, person: Any) -> Client:
    client.force_login(person, backend="apps.orgs.auth.RoleBackend")
    return client


def sent(group: CoffeeGroup, *prizes: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    columns = list(zip(*prizes, strict=True)) or [(), (), ()]
    return {
        "name": "Caps 2026", "code": "caps-2026", "program": group.east.pk, "unit": group["EAST"].pk, "size": "1000",
        "uses": "1", "starts_on": "2026-03-01", "ends_on": "",
        "prizes-name": columns[0], "prizes-wins": columns[1], "prizes-out_of": columns[2],
    } | more  # fmt: skip


def test_marketing_drafts_makes_downloads_and_stops_a_batch(client: Client, group: CoffeeGroup, cast: Cast) -> None:
    signed_in(client, cast.marketing)
    prizes = [("grand", "1", "1,000"), ("", "", ""), ("small", "1", "10")]
    answer = client.post(reverse(ADD), sent(group, *prizes))
    batch = CodeBatch.objects.get()
    assert answer.status_code == 302, answer.content
    assert batch.prizes == [
        {"name": "grand", "wins": 1, "out_of": 1000}, {"name": "small", "wins": 1, "out_of": 10},
    ]  # fmt: skip
    shown = client.get(page("change", batch.pk)).content.decode()
    assert "899 in 1,000" in shown
    assert "Make 1,000 codes" in shown
    assert bytes(batch.seed).hex() not in shown
    assert standing_of(batch).fingerprint in shown
    client.post(page("make", batch.pk))
    services.make_part(batch.pk, when=now())
    changed = client.post(page("change", batch.pk), {"name": "Caps!", "starts_on": "", "ends_on": "2999-12-31"})
    assert changed.status_code == 302
    file = client.post(page("download", batch.pk))
    rows = list(csv.reader(io.StringIO(b"".join(file.streaming_content).decode("utf-8-sig"))))
    assert (rows[0], len(rows), rows[1][0]) == (["number", "code"], 1001, "1")
    assert CodeDownload.objects.get().downloaded_by == cast.marketing
    assert client.get(page("download", batch.pk)).status_code == 405
    client.post(page("stop", batch.pk))
    batch.refresh_from_db()
    assert (batch.state, batch.name, batch.size) == ("stopped", "Caps!", 1000)
    assert bytes(batch.seed).hex() in client.get(page("change", batch.pk)).content.decode()
    assert [row.history_user for row in batch.history.order_by("history_id")] == [
        cast.marketing, cast.marketing, None, cast.marketing, cast.marketing,
    ]  # fmt: skip
    assert client.get(page("history", batch.pk)).status_code == 200


def test_odds_are_told_and_their_faults_marked_while_somebody_types(
    client: Client, group: CoffeeGroup, cast: Cast
) -> None:
    signed_in(client, cast.marketing)
    told = client.post(reverse("admin:rules_codebatch_odds"), sent(group, ("grand", "1", "1000"), size="100000")).json()
    assert told == {"faults": [], "lines": [
        "grand: 1 in 1,000, about 100 of 100,000", "no prize (none): 999 in 1,000, about 99,900 of 100,000",
    ]}  # fmt: skip
    prizes = [("", "", ""), ("grand", "x", "3"), ("", "1", "0")]
    told = client.post(reverse("admin:rules_codebatch_odds"), sent(group, *prizes)).json()
    assert [(fault["row"], fault["field"]) for fault in told["faults"]] == [(1, "wins"), (2, "name"), (2, "out_of")]
    answer = client.post(reverse(ADD), sent(group, ("a", "1", "2"), ("b", "1", "2"), ("c", "1", "2")))
    assert "Together the odds come to more than 1" in answer.content.decode()
    assert 'value="c"' in answer.content.decode()
    assert not CodeBatch.objects.exists()


def test_finance_reads_what_was_drawn_and_changes_nothing(
    client: Client, group: CoffeeGroup, cast: Cast, till: Till
) -> None:
    batch, codes = made(group, size=4, prizes=[{"name": "small", "wins": 1, "out_of": 2}])
    till.send(*[redeeming(code) for code in codes])
    signed_in(client, cast.finance)
    assert "Bottle caps" in client.get(reverse(LIST)).content.decode()
    shown = client.get(page("change", batch.pk)).content.decode()
    assert "4 of 4 uses are redeemed so far" in shown
    assert "Download the codes" not in shown
    assert 'name="ends_on"' not in shown
    for verb in ("make", "download", "stop"):
        assert client.post(page(verb, batch.pk)).status_code == 403
    shares = standing_of(batch).shares
    assert [(share.expected, share.odds) for share in shares] == [("2", "1 in 2")] * 2
    assert sum(share.drawn for share in shares) == CodeUse.objects.count() == 4
    signed_in(client, cast.outsider)
    assert client.get(page("change", batch.pk)).status_code == 404
    assert "Bottle caps" not in client.get(reverse(LIST)).content.decode()


def test_service_redeems_a_code_for_a_member_once_however_often_it_is_sent(
    client: Client, group: CoffeeGroup, cast: Cast, till: Till
) -> None:
    publish(
        group, {"effect": "fixed_points", "point_type": "points", "points": 5},
        condition={"all": [{"field": "event.kind", "op": "eq", "value": "code"}]},
    )  # fmt: skip
    _batch, (code, *_rest) = made(group)
    member = till.member()
    address = page("redeem", member.pk)
    signed_in(client, cast.service)
    assert f'href="{address}"' in client.get(reverse("admin:members_member_change", args=[member.pk])).content.decode()
    form = client.get(address).context["form"]
    typed = {"key": form.initial["key"], "unit": member.home_unit_id, "code": code.lower()}
    for _ in range(2):
        answer = client.post(address, typed, follow=True)
        assert "It drew: no prize (none). Points: +5." in answer.content.decode()
    assert CodeUse.objects.get().member == member
    again = client.post(address, typed | {"key": "0" * 32})
    assert "This member has redeemed this code before." in again.content.decode()
    other = page("redeem", till.member("C2").pk)
    assert f"by {member}." in client.post(other, typed | {"key": "1" * 32}).content.decode()
    assert client.post(address, typed | {"unit": group["WEST"].pk}).status_code == 200
    assert CodeUse.objects.count() == 1


def test_a_draft_is_discarded_on_its_page_and_nothing_else(client: Client, group: CoffeeGroup, cast: Cast) -> None:
    signed_in(client, cast.marketing)
    client.post(reverse(ADD), sent(group))
    batch, _codes = made(group)
    draft = CodeBatch.objects.get(code="caps-2026")
    assert client.post(page("delete", draft.pk), {"post": "yes"}).status_code == 302
    assert client.post(page("delete", batch.pk), {"post": "yes"}).status_code == 403
    assert list(CodeBatch.objects.all()) == [batch]
