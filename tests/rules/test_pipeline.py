"""The main road, told as worked examples, and the promise that no batch size changes a result."""

from datetime import timedelta
from decimal import Decimal

from apps.activity.models import Event, EventLine, MemberDay
from apps.orgs.models import Program
from apps.points.models import Entry, Lot, PointType, Posting
from apps.rules.models import Outcome, RuleVersion
from tests.rules.conftest import PER_YUAN, START, Till, line, publish, purchase, refund

PER_PIECE = PER_YUAN | {"effect": "points_per_quantity"}
FIXED = {"effect": "fixed_points", "point_type": "points", "points": 50}


def test_a_purchase_earns_by_its_amount_rounded_down_and_says_why(till: Till) -> None:
    version = publish(till.group)
    (result,) = till.send(purchase("11.77"))
    assert (result.status, result.points) == ("processed", 11)
    (award,) = result.answer["awards"]
    assert award["version_id"] == version.pk
    assert award["why"] == {
        "points": 11, "code": "per_amount", "amount": "11.77", "rate": "1", "per": "1.00", "rounding": "ROUND_DOWN",
    }  # fmt: skip
    assert result.answer["balance"] == {"point_type": "points", "available": 11, "pending": 0, "debt": 0}
    lot = Lot.objects.get()
    assert (lot.rule_version_id, lot.event_id, lot.org_unit.code) == (version.pk, result.answer["event"], "S001")


def test_the_same_key_again_is_answered_as_before_and_posts_nothing(till: Till) -> None:
    publish(till.group)
    event = purchase("30", key="k")
    first, second = till.send(event)[0], till.send(event)[0]
    assert second.status == "repeated"
    assert second.answer == first.answer
    assert (Event.objects.count(), till.account().balance) == (1, 30)


def test_the_same_key_with_other_content_is_refused(till: Till) -> None:
    publish(till.group)
    till.send(purchase("30", key="k"))
    (result,) = till.send(purchase("31", key="k"))
    assert (result.status, result.refusal.code) == ("refused", "key_reused")
    assert till.account().balance == 30


def test_one_key_twice_in_one_batch_is_one_event(till: Till) -> None:
    publish(till.group)
    results = till.send(purchase("30", key="k"), purchase("30", key="k"), purchase("9", key="k"))
    assert [result.status for result in results] == ["processed", "repeated", "refused"]
    assert till.account().balance == 30


def test_a_cap_cuts_and_what_it_cut_is_kept(till: Till) -> None:
    publish(till.group, cap=100)
    first, second, third = till.send(purchase("70"), purchase("50"), purchase("5"))
    assert [result.points for result in (first, second, third)] == [70, 30, 0]
    assert second.answer["awards"][0]["why"]["cut"] == 20
    assert third.answer["awards"][0]["why"]["cut"] == 5
    (next_day,) = till.send(purchase("70", occurred_at=START + timedelta(days=1)))
    assert next_day.points == 70


def test_the_cap_holds_across_batches(till: Till) -> None:
    publish(till.group, cap=100)
    assert [till.send(purchase("60"))[0].points for _ in range(3)] == [60, 40, 0]


def test_only_the_lines_that_count_earn(till: Till) -> None:
    lines = {"all": [{"field": "line.category", "op": "eq", "value": "coffee"}]}
    publish(till.group, PER_YUAN | {"lines": lines})
    event = purchase("1", lines=(line("20"), line("100", category="gift", number=2)))
    assert till.send(event)[0].points == 20


def test_lines_are_kept_with_brand_tax_and_carriage(till: Till) -> None:
    publish(till.group, PER_YUAN | {"lines": {"field": "line.brand", "op": "eq", "value": "Harar"}})
    beans = line("20", brand="Harar", tax=Decimal("1.13"))
    carriage = line("8", category="", sku="", number=2, is_shipping=True)
    assert till.send(purchase("1", lines=(beans, carriage, line("5", number=3))))[0].points == 20
    assert list(EventLine.objects.order_by("line_no").values_list("brand", "tax", "is_shipping")) == [
        ("Harar", Decimal("1.13"), False), ("", None, True), ("", None, False),
    ]  # fmt: skip


def test_rules_apply_to_their_unit_and_to_their_time(till: Till) -> None:
    publish(till.group, unit="EAST-S")
    publish(till.group, FIXED, starts_at=START, ends_at=START + timedelta(hours=1))
    events = [purchase("10", occurred_at=START + timedelta(minutes=minutes)) for minutes in (-1, 0, 59, 60)]
    assert [result.points for result in till.send(*events)] == [0, 50, 50, 0]
    assert till.send(purchase("10", store="S003"))[0].points == 60


def test_a_rule_published_meanwhile_is_in_force_for_the_next_event(till: Till) -> None:
    assert till.send(purchase("10"))[0].points == 0
    version = publish(till.group)
    assert till.send(purchase("10"))[0].points == 10
    RuleVersion.objects.filter(pk=version.pk).update(state="retired", ends_at=START)
    assert till.send(purchase("10"))[0].points == 0


def test_partial_refunds_take_back_in_proportion_and_never_more_than_was_earned(till: Till) -> None:
    publish(till.group, PER_YUAN, FIXED)
    till.send(purchase("99.99", key="p"))
    assert till.account().balance == 149
    taken = [till.send(refund("p", "33.33"))[0].points for _ in range(3)]
    assert sum(taken) == -149
    assert till.account().balance == 0
    (result,) = till.send(refund("p", "0.01"))
    assert result.refusal.code == "refund_too_large"
    assert result.refusal.sentence() == "Only 0.00 of the purchase is left to give back; 0.01 was asked for."


def test_a_refund_of_points_already_spent_becomes_debt(till: Till) -> None:
    from apps.points import services

    publish(till.group)
    till.send(purchase("100", key="p"))
    services.redeem(None, till.account().pk, 80, key="r", unit=till.group["S001"], when=START)
    (result,) = till.send(refund("p", "100"))
    assert result.points == -100
    assert (till.account().balance, till.account().debt) == (-80, 80)
    (later,) = till.send(purchase("100"))
    assert later.answer["balance"] == {"point_type": "points", "available": 20, "pending": 0, "debt": 0}


def test_without_debt_the_refund_is_refused_alone_and_leaves_no_trace(till: Till) -> None:
    from apps.points import services

    Program.objects.update(allows_debt=False)
    publish(till.group)
    till.send(purchase("100", key="p"))
    services.redeem(None, till.account().pk, 80, key="r", unit=till.group["S001"], when=START)
    results = till.send(purchase("5", member="C2"), refund("p", "100", key="x"), purchase("7", member="C3"))
    assert [result.status for result in results] == ["processed", "refused", "processed"]
    assert results[1].refusal.code == "ledger_refused"
    assert not Event.objects.filter(key="x").exists()
    assert till.account().balance == 20


def test_a_refund_in_the_same_batch_as_its_purchase_takes_back(till: Till) -> None:
    publish(till.group)
    results = till.send(purchase("40", key="p"), refund("p", "10"), purchase("3"))
    assert [result.points for result in results] == [40, -10, 3]
    assert till.account().balance == 33


def test_a_refund_must_name_a_purchase_of_the_same_member(till: Till) -> None:
    publish(till.group)
    till.send(purchase("40", key="p"))
    for event in (refund("p", "40", member="C2"), refund("nothing", "40"), refund("", "40")):
        (result,) = till.send(event)
        assert result.refusal.code == "unknown_purchase"


def test_what_cannot_be_taken_is_refused_alone(till: Till) -> None:
    publish(till.group)
    results = till.send(
        purchase("1", member="nobody"),
        purchase("1", store="S999"),
        purchase("1", currency="USD"),
        purchase("1", occurred_at=START + timedelta(days=900)),
        purchase("1", store="G"),
        purchase("1"),
    )
    assert [result.refusal and result.refusal.code for result in results] == [
        "unknown_member", "unknown_store", "other_currency", "in_the_future", "no_program", None,
    ]  # fmt: skip
    assert Event.objects.count() == 1


def test_pending_points_wait_and_a_refund_takes_them_first(till: Till) -> None:
    kind = till.group.point_types["east"]
    kind.pending_days = 7
    kind.save()
    publish(till.group)
    till.send(purchase("100", key="p"))
    assert (till.account().balance, till.account().pending) == (0, 100)
    till.send(refund("p", "40"))
    assert (till.account().balance, till.account().pending) == (0, 60)
    from apps.points import services

    assert services.release_due(START + timedelta(days=6)) == 0
    assert services.release_due(START + timedelta(days=8)) == 1
    assert services.release_due(START + timedelta(days=8)) == 0
    assert (till.account().balance, till.account().pending) == (60, 0)


def test_daily_facts_are_kept_with_each_event(till: Till) -> None:
    till.send(purchase("10", key="p"), purchase("5.5"), refund("p", "4"))
    day = MemberDay.objects.get()
    assert (day.events, day.purchases, day.spent, day.refunds, day.refunded) == (3, 2, Decimal("15.5"), 1, Decimal(4))


def test_any_batch_size_gives_the_same_tables(till: Till) -> None:
    publish(till.group, cap=60)
    publish(till.group, FIXED, condition={"all": [{"field": "event.amount", "op": "ge", "value": "20"}]})

    def story(members: list[str]) -> list:
        events = []
        for number, member in enumerate(members * 6):
            at = START + timedelta(hours=number * 7)
            events.append(purchase(f"{number * 3 + 1}.5", key=f"{member}-{number}", member=member, occurred_at=at))
            if number % 4 == 3:
                of = f"{member}-{number - 3}" if (number - 3) % 3 == number % 3 else f"{member}-{number}"
                events.append(refund(of, "0.75", key=f"{of}-back", member=member, occurred_at=at))
        return events

    events = story(["C1", "C2", "C3"])
    tables = []
    for size in (1, 7, 100):
        from django.db import transaction

        try:
            with transaction.atomic():
                for start in range(0, len(events), size):
                    till.send(*events[start : start + size])
                tables.append(digest())
                raise Undo
        except Undo:
            pass
    assert tables[0] == tables[1] == tables[2]
    assert len(tables[0][0]) > 20


class Undo(Exception):
    """Rolls one telling of the story back."""


def digest() -> tuple:
    """All that the tables say, but for the numbers of rows."""
    return (
        sorted(
            Entry.objects.values_list("posting__event__key", "kind", "points", "pending_points", "cost_micros", "day")
        ),
        sorted(Lot.objects.values_list("event__key", "earned", "remaining", "expires_at")),
        sorted(Outcome.objects.values_list("event__key", "points")),
        sorted(MemberDay.objects.values_list("member_id", "day", "events", "spent", "refunded")),
        Posting.objects.count(),
    )


def test_more_points_than_anybody_means_are_refused_in_words(till: Till) -> None:
    """A slip in a rate once made numbers no column holds: the till got an error 500, and its whole batch with it."""
    publish(till.group, PER_YUAN | {"points": "1000000", "per": "0.01"})
    results = till.send(purchase("9999999999", key="x"), purchase("1", member="C2"))
    assert [result.status for result in results] == ["refused", "processed"]
    assert results[0].refusal.sentence().startswith("999,999,999,900,000,000 points at once")
    assert not Event.objects.filter(key="x").exists()


def test_points_that_cost_more_than_a_total_holds_are_refused_in_words(till: Till) -> None:
    PointType.objects.filter(pk=till.group.point_types["east"].pk).update(unit_cost_micros=10**12)
    publish(till.group)
    results = till.send(purchase("1001", key="x"), purchase("1000", member="C2"))
    assert [result.status for result in results] == ["refused", "processed"]


def test_limits_of_every_period_and_of_stores_and_the_programme_hold_side_by_side(till: Till) -> None:
    """Catches a week that begins on Sunday, a month counted in 30 days, and a store's limit that every store shares."""
    publish(till.group, limits=[
        {"per": "member", "period": "week", "of": "points", "most": 100},
        {"per": "member", "period": "month", "of": "times", "most": 4},
        {"per": "store", "period": "day", "of": "points", "most": 90},
        {"per": "programme", "period": "ever", "of": "points", "most": 300},
    ])  # fmt: skip
    told = [
        ("C1", 0, "S001", "80", 80),  # a Sunday: the last day of its week
        ("C1", 1, "S001", "80", 80),
        ("C2", 1, "S001", "80", 10),  # the store's day
        ("C2", 1, "S002", "80", 80),  # another store's
        ("C1", 2, "S001", "80", 20),  # the member's week
        ("C1", 7, "S001", "0.50", 0),  # worth nothing: no time
        ("C1", 8, "S001", "25", 25),
        ("C1", 8, "S001", "25", 0),  # the member's month: four times
        ("C1", 31, "S001", "25", 5),  # the programme's end
        ("C3", 40, "S002", "25", 0),
    ]
    events = [purchase(amount, member=member, store=store, occurred_at=START + timedelta(days=days))
              for member, days, store, amount, _ in told]  # fmt: skip
    assert [result.points for result in till.send(*events)] == [points for *_, points in told]


def test_limits_of_money_pieces_costs_and_devices_hold_side_by_side(till: Till) -> None:
    """Catches a device that is counted by store, and an event without one that is counted as one."""
    publish(till.group, limits=[
        {"per": "member", "period": "year", "of": "amount", "most": "100.5"},
        {"per": "device", "period": "day", "of": "points", "most": 70},
        {"per": "programme", "period": "ever", "of": "cost", "most": "2.5"},
        {"per": "event", "period": "ever", "of": "points", "most": 60},
    ])  # fmt: skip
    publish(till.group, PER_PIECE, limits=[{"per": "store", "period": "week", "of": "pieces", "most": 2}])
    told = [
        ("C1", "S001", "pad", 0, "60.40", 60),
        ("C1", "S002", "pad", 0, "60.40", 10),  # the device's day
        ("C1", "S001", "", 0, "80", 0),  # the member's year: ¥100.50 have earned
        ("C2", "S001", "", 0, "80", 60),  # the event's own limit, and no device
        ("C2", "S001", "pad", 1, "80", 20),  # ¥20.50 of the year are left
        ("C3", "S001", "pad", 1, "80", 50),  # the device's day, once more
        ("C3", "S001", "tab", 2, "80", 20),
        ("C3", "S001", "tab", 9, "80", 0),
    ]
    events = [purchase(amount, member=member, store=store, device=device, occurred_at=START + timedelta(days=days))
              for member, store, device, days, amount, _ in told]  # fmt: skip
    awards = [result.answer["awards"] for result in till.send(*events)]
    assert [sum(award["points"] for award in each if award["why"]["code"] == "per_amount") for each in awards] == [
        points for *_, points in told
    ]
    assert awards[2][0]["why"] | {"rounding": ""} == {
        "code": "per_amount", "amount": "80", "rate": "1", "per": "1.00", "rounding": "", "points": 80,
        "cut": 80, "cap": "100.5", "limit": {"per": "member", "period": "year", "of": "amount"},
    }  # fmt: skip
    assert [award["points"] for each in awards for award in each if award["why"]["code"] == "per_quantity"] == [
        1, 1, 1, 0, 1, 1, 0, 1,
    ]  # fmt: skip


def test_a_multiplier_doubles_what_the_member_was_given_and_is_taken_back_with_it(till: Till) -> None:
    publish(till.group, {"effect": "multiply", "point_type": "points", "times": "2", "of": "base", "rounding": "down"})
    publish(till.group, cap=50)
    (bought,) = till.send(purchase("70", key="p"))
    assert [(award["points"], award["why"]["code"]) for award in bought.answer["awards"]] == [
        (50, "per_amount"),
        (50, "multiply"),
    ]
    (back,) = till.send(refund("p", "35"))
    assert back.points == -50


def test_a_table_and_pieces_earn_on_the_main_road(till: Till) -> None:
    large = {"all": [{"field": "event.amount", "op": "ge", "value": "100"}]}
    rows = [{"when": large, "points": "2", "per": "1"}, {"when": {"all": []}, "points": "7", "per": None}]
    table = {"effect": "table", "point_type": "points", "hit": "first", "rounding": "down", "rows": rows}
    coffee = {"all": [{"field": "line.category", "op": "eq", "value": "coffee"}]}
    publish(till.group, table, PER_YUAN | {"effect": "points_per_quantity", "points": "3", "per": "2", "lines": coffee})
    lines = (line("60", quantity="5"), line("41", category="tea", quantity="9", number=2))
    results = till.send(purchase("1", lines=lines), purchase("99.99"))
    assert [[award["points"] for award in result.answer["awards"]] for result in results] == [[202, 7], [7, 1]]
