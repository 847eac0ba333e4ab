"""Codes of bottle caps and receipts: unguessable, drawn as stated, redeemed once; everything else is refused in words."""

from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from itertools import count
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from apps.activity.models import Event
from apps.activity.services import source_for
from apps.activity.words import fault_sentence
from apps.approvals.services.deciding import decide
from apps.approvals.services.sending import send
from apps.core.errors import LoyaltyError, NotAllowed
from apps.orgs.gate import ApprovalNeeded
from apps.orgs.services.tries import WINDOW
from apps.points.checking import differences
from apps.rules import importing
from apps.rules.codes import claiming, drawing, services
from apps.rules.codes.errors import (
    BatchCodeTaken,
    BatchFixed,
    BatchTooLarge,
    DaysReversed,
    NotInThatState,
    OddsFaulty,
)
from apps.rules.codes.keys import code_hash, numbered_code
from apps.rules.codes.models import Code, CodeBatch, CodeDownload, CodeGuess, CodeUse
from apps.rules.codes.spelling import ALPHABET, LENGTH, code_of, read_code, shown
from apps.rules.errors import RuleMisplaced
from apps.rules.pipeline import process
from benchmarks.measuring import Jobs, team
from tests.approvals.conftest import Desk, role, step
from tests.factories import Cast, CoffeeGroup, make_group
from tests.rules.codes import drafted, made, mistyped, redeeming
from tests.rules.conftest import START, Till, make_till, publish, purchase, refund
from tests.rules.test_races import deadlocks

LATER = START + timedelta(days=200)
GRAND = {"name": "grand", "wins": 1, "out_of": 4}
SMALL = {"name": "small", "wins": 1, "out_of": 2}
FIVE = {"effect": "fixed_points", "point_type": "points", "points": 5}


# -- spelling ---------------------------------------------------------------------------------------------------


@given(st.integers(0, 2**256))
def test_a_code_is_read_however_it_is_typed(number: int) -> None:
    code = code_of(number)
    assert len(code) == LENGTH
    assert {read_code(text) for text in (code, shown(code), shown(code).lower(), f" {shown(code)} ")} == {code}


@given(st.integers(0, 2**256), st.integers(0, 11), st.integers(0, 11), st.sampled_from(ALPHABET))
def test_one_wrong_character_and_two_that_changed_places_are_found(
    number: int, place: int, other: int, character: str
) -> None:
    code = list(code_of(number))
    wrong, swapped = code.copy(), code.copy()
    wrong[place] = character
    swapped[place], swapped[other] = code[other], code[place]
    for typed in (wrong, swapped):
        assert (read_code("".join(typed)) is None) == (typed != code)


# -- drawing ----------------------------------------------------------------------------------------------------


def test_who_draws_again_from_the_seed_as_the_documentation_says_gets_the_same() -> None:
    seed, odds = bytes(range(32)), [("grand", 1, 1000), ("small", 1, 10)]
    prizes = drawing.read_prizes([{"name": name, "wins": wins, "out_of": out_of} for name, wins, out_of in odds])
    document = (Path(settings.BASE_DIR) / "docs" / "rules.md").read_text(encoding="utf-8")
    again: dict[str, Any] = {}
    exec(document.partition("```python\n")[2].partition("```")[0], again)
    uses = [(number, use) for number in range(1, 1500) for use in (1, 2)]
    drawn = [drawing.draw(seed, prizes, number, use) for number, use in uses]
    assert drawn == [again["draw"](seed, odds, number, use) for number, use in uses]
    assert set(drawn) == {"grand", "small", "none"}


@pytest.mark.parametrize("seed", [bytes([number]) * 32 for number in range(3)])
def test_what_is_drawn_keeps_to_the_odds(seed: bytes) -> None:
    """Each prize within four standard deviations of what the odds say, over 40,000 draws of a fixed seed."""
    stated = [
        {"name": "a", "wins": 1, "out_of": 1000},
        {"name": "b", "wins": 3, "out_of": 70},
        {"name": "c", "wins": 1, "out_of": 4},
    ]
    prizes, draws = drawing.read_prizes(stated), 40_000
    drawn = Counter(drawing.draw(seed, prizes, number, 1) for number in range(draws))
    assert sum(odds for _name, odds in drawing.chances(prizes)) == Fraction(1)
    for name, odds in drawing.chances(prizes):
        deviation = sqrt(draws * odds * (1 - odds))
        assert abs(drawn[name] - draws * odds) < 4 * deviation, name


FAULTY: dict[str, tuple[Any, list[tuple[int | None, str]]]] = {
    "fine": ([GRAND, SMALL, {"name": "last", "wins": 1, "out_of": 4}], []),
    "none at all": ([], []),
    "too much": ([GRAND, SMALL, {"name": "third", "wins": 1, "out_of": 3}], [(None, "")]),
    "every row": (
        [{"name": "", "wins": 0, "out_of": 5}, {"name": "x", "wins": 1, "out_of": 10**9 + 1}],
        [(0, "name"), (0, "wins"), (1, "out_of")],
    ),
    "more than all": ([{"name": "x", "wins": 3, "out_of": 2}], [(0, "out_of")]),
    "twice": ([GRAND, GRAND | {"name": "GRAND"}], [(1, "name")]),
    "reserved": ([GRAND | {"name": "None"}], [(0, "name")]),
    "spaces": ([GRAND | {"name": " grand"}], [(0, "name")]),
    "control": ([GRAND | {"name": "gr\tand"}], [(0, "name")]),
    "floats": ([GRAND | {"wins": 1.5}], [(0, "wins")]),
    "true": ([GRAND | {"wins": True}], [(0, "wins")]),
    "too fine": ([GRAND | {"out_of": 999_999_937}, SMALL | {"out_of": 999_999_929}], [(None, "")]),
    "too many": ([{"name": f"p{number}", "wins": 1, "out_of": 100} for number in range(21)], [(None, "")]),
    "no list": ({"name": "x"}, [(None, "")]),
    "no row": (["x"], [(0, "")]),
    "unknown": ([GRAND | {"more": 1}], [(0, "")]),
}


@pytest.mark.parametrize("name", FAULTY)
def test_odds_are_refused_with_all_their_faults_at_once(name: str) -> None:
    data, places = FAULTY[name]
    faults = drawing.faults_of(data)
    assert [(fault.row, fault.field) for fault in faults] == places
    assert all(fault.message.en and fault.message.zh for fault in faults)


# -- batches ----------------------------------------------------------------------------------------------------


def test_the_codes_of_a_batch_are_made_part_by_part_and_can_be_made_again(
    group: CoffeeGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "PART_CODES", 7)
    batch, codes = made(group, size=20)
    assert (batch.state, batch.made, batch.last_number, len(set(codes))) == ("ready", 20, 20, 20)
    seed = bytes(batch.seed)
    assert codes == [shown(numbered_code(seed, number)) for number in range(1, 21)]
    assert codes == [code for _number, code in services.download(None, batch, when=START)]
    assert CodeDownload.objects.filter(batch=batch).count() == 2
    services.make_part(batch.pk, when=START)
    assert Code.objects.count() == 20


def test_the_tables_hold_no_code(group: CoffeeGroup, till: Till) -> None:
    _batch, (first, *_rest) = made(group, size=3)
    assert till.send(redeeming(first))[0].status == "processed"
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT count(*) FROM {table} AS row WHERE row::text ILIKE ANY (%s)",
                           [[f"%{first}%", f"%{first.replace('-', '')}%"]])  # fmt: skip
            assert cursor.fetchone() == (0,), table
    event = Event.objects.get(kind="code")
    assert event.attributes == {"code": f"{first[:4]}-****-****", "code_batch": _batch.code, "prize": "none"}


def test_a_number_whose_code_is_taken_already_is_left_out(group: CoffeeGroup) -> None:
    batch = services.start_making(None, drafted(group, size=5), when=START)
    other = drafted(group)
    taken = code_hash(numbered_code(bytes(batch.seed), 3))
    Code.objects.create(batch=other, number=1, value_hash=taken, uses_left=1)
    services.make_part(batch.pk, when=START)
    assert CodeBatch.objects.get(pk=batch.pk).state == "making"
    services.make_part(batch.pk, when=START)
    batch.refresh_from_db()
    assert (batch.state, batch.made) == ("ready", 5)
    assert [number for number, _code in services.download(None, batch, when=START)] == [1, 2, 4, 5, 6]


def test_a_drafted_batch_is_refused_with_what_is_wrong(group: CoffeeGroup, cast: Cast) -> None:
    drafted(group, code="caps")
    wrong: list[tuple[type[LoyaltyError], dict[str, Any]]] = [
        (BatchCodeTaken, {"code": "caps"}),
        (RuleMisplaced, {"unit": "WEST"}),
        (BatchTooLarge, {"size": 1_000_001}),
        (BatchTooLarge, {"uses": 0}),
        (DaysReversed, {"starts_on": date(2026, 5, 2), "ends_on": date(2026, 5, 1)}),
        (OddsFaulty, {"prizes": [GRAND, SMALL, SMALL | {"name": "third"}]}),
    ]
    for refusal, values in wrong:
        with pytest.raises(refusal):
            drafted(group, **values)
    for persona in ("finance", "service", "outsider"):
        with pytest.raises(NotAllowed):
            services.create_batch(
                cast[persona], group.east, group["EAST"], code="x", name="X", size=1, when=START
            )  # fmt: skip
    assert CodeBatch.objects.count() == 1


def test_a_batch_is_free_until_it_is_made_and_fixed_afterwards(group: CoffeeGroup) -> None:
    batch = services.change_batch(None, drafted(group), size=4, prizes=[GRAND])
    services.start_making(None, batch, when=START)
    with pytest.raises(BatchFixed):
        services.change_batch(None, batch, prizes=[SMALL])
    for refused in (services.start_making, services.download):
        with pytest.raises(NotInThatState):
            refused(None, batch, when=START)
    with pytest.raises(NotInThatState):
        services.discard_batch(None, batch)
    changed = services.change_batch(None, batch, name="Caps", ends_on=date(2026, 3, 10))
    assert (changed.name, changed.size) == ("Caps", 4)
    for column, value in (("prizes", "'[]'"), ("seed", "'x'"), ("state", "'draft'"), ("size", "5")):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE rules_codebatch SET {column} = {value}")
    services.stop_batch(None, batch, when=START)
    services.make_part(batch.pk, when=START)
    assert not Code.objects.exists()


def test_a_draft_can_be_discarded(group: CoffeeGroup) -> None:
    services.discard_batch(None, drafted(group))
    assert not CodeBatch.objects.exists()


# -- redeeming --------------------------------------------------------------------------------------------------


def test_rules_see_the_batch_and_what_the_code_drew(group: CoffeeGroup, till: Till) -> None:
    batch, codes = made(group, size=12, prizes=[GRAND, SMALL])
    for prize, points in (("grand", 500), ("small", 10), ("none", 1)):
        publish(group, FIVE | {"points": points}, condition={"all": [
            {"field": "event.code_batch", "op": "eq", "value": batch.code},
            {"field": "event.prize", "op": "eq", "value": prize},
        ]})  # fmt: skip
    drawn = [drawing.draw(bytes(batch.seed), drawing.read_prizes(batch.prizes), n, 1) for n in range(1, 13)]
    results = till.send(*[redeeming(code) for code in codes])
    assert [result.points for result in results] == [{"grand": 500, "small": 10, "none": 1}[prize] for prize in drawn]
    assert list(CodeUse.objects.order_by("event").values_list("prize", flat=True)) == drawn
    assert not Code.objects.filter(uses_left__gt=0).exists()


def test_the_sender_cannot_say_what_a_code_drew(group: CoffeeGroup, till: Till) -> None:
    publish(group, FIVE, condition={"all": [{"field": "event.prize", "op": "eq", "value": "grand"}]})
    _batch, (code, *_rest) = made(group)
    lies = {"code": code, "prize": "grand", "code_batch": "x"}
    assert [result.points for result in till.send(redeeming(code, attributes=lies), purchase("9", attributes=lies))] == [
        0, 0,
    ]  # fmt: skip


def _table(group: CoffeeGroup) -> list[tuple[str, str | None, dict[str, Any]]]:
    """What is refused: the reason, the code, and what else the event says."""
    _used, (used, *_) = made(group, size=1)
    _old, (old, *_) = made(group, ends_on=date(2026, 2, 28))
    _soon, (soon, *_) = made(group, starts_on=date(2026, 3, 2))
    stopped, (halted, *_) = made(group)
    services.stop_batch(None, stopped, when=START)
    _south, (south, *_) = made(group, unit="EAST-S")
    _many, (shared, *_) = made(group, uses=3)
    making = services.start_making(None, drafted(group, size=5), when=START)
    early = shown(numbered_code(bytes(making.seed), 1))
    Code.objects.create(batch=making, number=1, value_hash=code_hash(read_code(early) or ""), uses_left=1)
    till = make_till(group)
    assert [result.status for result in till.send(redeeming(used, member="C2"), redeeming(shared))] == ["processed"] * 2
    return [
        ("code_missing", None, {}),
        ("code_missing", "x", {"attributes": None}),
        ("code_missing", "x", {"attributes": {"code": 5}}),
        ("code_mistyped", mistyped(used), {}),
        ("unknown_code", code_of(7), {}),
        ("code_used", used, {}),
        ("code_used_by_member", used, {"member": "C2"}),
        ("code_used_by_member", shared, {}),
        ("code_expired", old, {}),
        ("code_not_yet", soon, {}),
        ("code_not_yet", early, {}),
        ("code_stopped", halted, {}),
        ("code_not_here", south, {}),
        ("unknown_code", used, {"store": "S101"}),
        ("unknown_member", shared, {"member": "nobody"}),
        ("unknown_store", shared, {"store": "S999"}),
    ]


def test_whatever_is_not_redeemed_is_refused_in_words_and_leaves_nothing(group: CoffeeGroup) -> None:
    table = _table(group)
    till = Till(group, source_for("caps app", group.root))
    before = (Event.objects.count(), CodeUse.objects.count())
    results = till.send(*[redeeming(code, **more) for _reason, code, more in table])
    assert [result.refusal and result.refusal.code for result in results] == [reason for reason, *_ in table]
    assert (Event.objects.count(), CodeUse.objects.count()) == before
    for result in results:
        assert result.refusal is not None
        with translation.override("en"):
            english = result.refusal.sentence()
        with translation.override("zh-hans"):
            assert result.refusal.sentence() != english


def test_the_same_key_again_replays_the_first_answer(group: CoffeeGroup, till: Till) -> None:
    publish(group, FIVE, condition={"all": [{"field": "event.kind", "op": "eq", "value": "code"}]})
    _batch, (code, second, *_) = made(group)
    first, again = till.send(redeeming(code, "k"), redeeming(code, "k"))
    (later,) = till.send(redeeming(code, "k"))
    assert [first.status, again.status, later.status] == ["processed", "repeated", "repeated"]
    assert first.answer == again.answer == later.answer
    (other,) = till.send(redeeming(second, "k"))
    assert other.refusal is not None
    assert other.refusal.code == "key_reused"
    assert CodeUse.objects.count() == 1


def test_of_two_events_with_one_code_in_a_batch_the_first_gets_it(group: CoffeeGroup, till: Till) -> None:
    _batch, (code, *_) = made(group, size=1)
    sent = [purchase("9"), redeeming(code, member="C2"), redeeming(code, member="C1"), redeeming(code, member="C2")]
    results = till.send(*sent)
    assert [result.refusal.code if result.refusal else "" for result in results] == [
        "", "", "code_used", "code_used_by_member",
    ]  # fmt: skip


def test_a_wave_that_is_run_again_uses_its_codes_once(group: CoffeeGroup, till: Till) -> None:
    """The refund turns out to be impossible after the code was claimed; everything is undone and done without it."""
    batch, (code, *_) = made(group, size=1)
    till.send(purchase("10", key="order"))
    sent = [redeeming(code, member="C2"), refund("order", "11"), redeeming(code, member="C3")]
    assert [result.status for result in till.send(*sent)] == ["processed", "refused", "refused"]
    assert CodeUse.objects.get().batch == batch
    assert Code.objects.get().uses_left == 0


def test_codes_of_a_file_are_redeemed_and_refused_row_by_row(group: CoffeeGroup, till: Till, tmp_path: Path) -> None:
    _batch, (code, other, *_) = made(group)
    rows = [("1", code), ("2", code), ("3", other), ("4", mistyped(other)), ("5", "")]
    lines = [f"f{key},code,C1,2026-03-02T10:00:00,S001,{text}" for key, text in rows]
    file = tmp_path / "codes.csv"
    file.write_text("\n".join(["event_key,kind,member,occurred_at,store,code", *lines]))
    job = importing.start_import(None, file, group.east, when=LATER)
    job = importing.run_import(job.pk, clock=lambda: LATER)
    faults = list(job.faults.order_by("line").values_list("line", "column", "code", "value"))
    assert faults == [
        (3, "code", "code_used_by_member", ""), (5, "code", "code_mistyped", ""), (6, "code", "code_missing", ""),
    ]  # fmt: skip
    assert all(fault_sentence(reason) != reason for _line, _column, reason, _value in faults)
    assert CodeUse.objects.count() == 2


def test_a_code_of_many_uses_is_used_by_so_many_members_once_each(group: CoffeeGroup, till: Till) -> None:
    batch, (code, *_) = made(group, size=1, uses=2, prizes=[SMALL])
    results = till.send(*[redeeming(code, member=member) for member in ("C1", "C1", "C2", "C3")])
    assert [result.status for result in results] == ["processed", "refused", "processed", "refused"]
    prizes, seed = drawing.read_prizes(batch.prizes), bytes(batch.seed)
    assert list(CodeUse.objects.order_by("use").values_list("use", "prize")) == [
        (use, drawing.draw(seed, prizes, 1, use)) for use in (1, 2)
    ]


def test_the_database_holds_that_a_code_is_used_up(group: CoffeeGroup, till: Till) -> None:
    """The mistake: a service that claims a code which it did not find free."""
    _batch, (code, *_) = made(group, size=1)
    till.send(redeeming(code))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE rules_code SET uses_left = uses_left - 1")
    for change in ("DELETE FROM rules_codeuse", "UPDATE rules_codeuse SET prize = 'grand'"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)


def test_waves_without_codes_ask_nothing_more(group: CoffeeGroup, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr(claiming, "call", lambda statement, parameters: called.append(statement))
    till.send(purchase("10"))
    assert called == []


# -- guessing ---------------------------------------------------------------------------------------------------


def test_guessing_is_slowed_for_the_member_alone(group: CoffeeGroup, till: Till) -> None:
    _batch, (good, other, third, *_) = made(group)
    wrong = (code_of(number) for number in count(1))
    nine = till.send(*[redeeming(next(wrong)) for _ in range(9)], redeeming(mistyped(good)), redeeming(good))
    assert [result.status for result in nine] == ["refused"] * 10 + ["processed"]
    last, shut, free = till.send(redeeming(next(wrong)), redeeming(other), redeeming(third, member="C2"))
    assert [last.refusal and last.refusal.code, shut.refusal and shut.refusal.code, free.refusal] == [
        "unknown_code", "too_many_tries", None,
    ]  # fmt: skip
    assert shut.refusal is not None
    assert shut.refusal.data == {"seconds": 600, "minutes": 10}
    assert CodeGuess.objects.count() == 10
    (after,) = till.send(redeeming(other), when=LATER + WINDOW)
    assert after.status == "processed"


def test_guessing_by_many_members_of_one_client_is_slowed(
    group: CoffeeGroup, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "GUESSES_OF_SOURCE", 2)
    _batch, (good, *_) = made(group)
    results = till.send(
        *[redeeming(code_of(number), member=f"C{number}") for number in (1, 2)], redeeming(good, member="C3")
    )
    assert [result.refusal and result.refusal.code for result in results] == [
        "unknown_code", "unknown_code", "too_many_tries",
    ]  # fmt: skip


# -- many at once -----------------------------------------------------------------------------------------------


@pytest.mark.faults
def test_eight_processes_on_the_same_codes_use_each_exactly_once(committed: str) -> None:
    """Catches a code that is looked up before it is locked, and codes locked in the order of the batch."""
    till = make_till(make_group(), members=8)
    publish(till.group, FIVE, condition={"all": [{"field": "event.kind", "op": "eq", "value": "code"}]})
    _single, codes = made(till.group, size=40)
    _shared, (shared, *_) = made(till.group, size=1, uses=5)
    with team(8, partial(grabbing, till, codes, shared)) as workers:
        answers = [answer for told in workers.ask("grab", 1) for answer in told]
    granted = [code for code, refusal in answers if refusal is None]
    assert Counter(granted) == dict.fromkeys(codes, 1) | {shared: 5}
    assert {refusal for _code, refusal in answers} == {None, "code_used"}
    assert CodeUse.objects.count() == 45
    assert (deadlocks(), differences()) == (0, [])


def grabbing(till: Till, codes: list[str], shared: str, number: int) -> Jobs:
    """A member of its own redeems every code, some of them in batches, and in an order of its own."""

    def grab(_times: int) -> list[tuple[str, str | None]]:
        mine = [*codes[number * 5 :], shared, *codes[: number * 5]]
        mine = mine[::-1] if number % 2 else mine
        answers: list[tuple[str, str | None]] = []
        for start in range(0, len(mine), 6):
            part = mine[start : start + 6]
            events = [redeeming(code, f"w{number}-{code}", member=f"C{number + 1}") for code in part]
            results = process(None, till.source, events, when=LATER)
            answers += [
                (code, result.refusal.code if result.refusal else None)
                for code, result in zip(part, results, strict=True)
            ]
        return answers

    return {"grab": grab}


@pytest.mark.faults
def test_guesses_at_once_are_no_more_than_in_a_row(committed: str) -> None:
    till = make_till(make_group(), members=1)
    with team(6, partial(guessing, till)) as workers:
        answers = Counter(code for told in workers.ask("guess", 8) for code in told)
    assert answers == {"unknown_code": 10, "too_many_tries": 38}


def guessing(till: Till, number: int) -> Jobs:
    def guess(times: int) -> list[str]:
        events = [redeeming(code_of(1_000 * number + turn)) for turn in range(1, times + 1)]
        results = [process(None, till.source, [event], when=LATER)[0] for event in events]
        return [result.refusal.code for result in results if result.refusal]

    return {"guess": guess}


def test_more_days_for_codes_that_are_made_wait_where_a_policy_holds_them_and_fewer_never_do(desk: Desk) -> None:
    group, marketing = desk.group, desk.cast["marketing"]
    batch, _ = made(group, starts_on=date(2026, 3, 1), ends_on=date(2026, 3, 10))
    desk.policy(
        {"bands": [{"name": "a", "when": {"all": []}, "steps": [step(role("finance"))]}]}, kind="rules.code_days"
    )
    services.change_batch(marketing, batch, ends_on=date(2026, 3, 9), when=START)
    for values in ({"ends_on": date(2026, 3, 11)}, {"ends_on": None}, {"starts_on": date(2026, 2, 28)}):
        with pytest.raises(ApprovalNeeded):
            services.change_batch(marketing, batch, when=START, **values)
    wanted = services.days_of(CodeBatch.objects.get(pk=batch.pk), {"ends_on": date(2026, 4, 1)})
    request = send(marketing, wanted, reason="It rained", key="rain", when=START)
    assert [(line.code, line.before, line.after) for line in request.asked_effect.lines] == [
        ("starts", "2026-03-01", "2026-03-01"), ("ends", "2026-03-09", "2026-04-01"), ("codes", 20, 20),
    ]  # fmt: skip
    assert decide(desk.cast["finance"], request.pk, "approved", seen=request.asked_seal, when=START).state == "done"
    batch.refresh_from_db()
    assert batch.ends_on == date(2026, 4, 1)


def test_a_batch_that_is_called_otherwise_is_not_what_was_approved(group: CoffeeGroup) -> None:
    batch = drafted(group)
    subject = services.making_of(batch)
    services.change_batch(None, batch, code="richer")
    assert services.making_of(CodeBatch.objects.get(pk=batch.pk)) != subject
