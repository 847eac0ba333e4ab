"""Marketing writes a rule from an empty page, reads it as a sentence, tries it, publishes it, and sees it live."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from apps.activity.services import source_for
from apps.core.clock import local_day, now, start_of_day
from apps.members.services import enrol_many
from apps.rules import services
from apps.rules.models import RuleVersion
from tests.browser.driving import axe_findings
from tests.factories import CoffeeGroup
from tests.rules.conftest import CAP_A_DAY, PER_YUAN, PURCHASE, Till, purchase

pytestmark = pytest.mark.browser


YUAN: dict[str, Any] = {"condition": PURCHASE, "effects": [PER_YUAN], "limits": []}


def yuan(group: CoffeeGroup, definition: Any = YUAN) -> RuleVersion:
    """The draft of a new rule of the company."""
    return services.create_rule(
        None, group.east, group["EAST"], code="yuan", name="Yuan", definition=definition, when=now()
    )  # fmt: skip


def test_marketing_writes_a_rule_in_chinese_and_sees_it_live(studio_page: Any) -> None:
    page = studio_page("marketing", language="zh-hans")
    page.goto("/rules/rule/add/")
    page.get_by_label("名称").fill("咖啡一元一分")
    expect(page.locator("[name=code]")).to_have_value("rule")
    page.get_by_label("计入的订单明细").select_option(label="仅计入满足条件的明细…")
    page.get_by_label("值", exact=True).first.fill("咖啡，拿铁")
    page.get_by_role("button", name="+ 添加条件").last.click()
    page.get_by_label("条件字段").last.select_option(label="门店")
    stores = page.get_by_role("combobox", name="值", exact=True).last
    stores.fill("north")
    stores.press("Enter")
    page.get_by_role("button", name="+ 添加上限").click()
    page.get_by_label("最多", exact=True).fill("200")
    expect(page.locator('[data-rule-sentence="zh"]')).to_have_text(
        "当事件类型为消费，且门店属于“East North”时，“咖啡”、“拿铁”类商品每消费 ¥1，会员获得 1 积分，向下取整，"
        "每位会员每天最多 200 积分。"
    )
    expect(page.locator('[data-rule-sentence="en"]')).to_have_text(
        "For each ¥1 spent on “咖啡” or “拿铁”, members earn 1 point, rounded down, at most 200 points a day for one "
        "member, when the event is a purchase and the store is in “East North”."
    )
    assert axe_findings(page) == []
    page.get_by_role("button", name="保存", exact=True).click()

    expect(page.get_by_text("草稿：发布之前不产生积分。")).to_be_visible()
    trial = page.locator("[data-rule-trial]")
    trial.get_by_label("金额").fill("258.8")
    trial.get_by_label("品类").fill("拿铁")
    trial.get_by_role("button", name="试算").click()
    expect(trial).to_contain_text("200 积分")
    trial.get_by_label("门店").select_option(label="Harbour")
    trial.get_by_role("button", name="试算").click()
    expect(trial).to_contain_text("无积分")
    expect(trial).to_contain_text("门店属于“East North” 实际：Harbour")
    assert axe_findings(page) == []

    page.get_by_label("最多", exact=True).fill("300")
    page.get_by_role("button", name="检查并发布…").click()
    dialog = page.get_by_role("dialog", name="发布第 1 版")
    expect(dialog).to_contain_text("每位会员每天最多 300 积分。")
    dialog.get_by_role("button", name="发布", exact=True).click()
    expect(page.get_by_text("第 1 版已发布，将于")).to_be_visible()
    version = RuleVersion.objects.get()
    assert (version.state, version.published_by.username) == ("published", "marketing")  # type: ignore[union-attr]
    page.wait_for_timeout(3_000)
    page.reload()
    expect(page.get_by_text("第 1 版自")).to_be_visible()
    page.goto("/rules/rule/")
    expect(page.get_by_role("row", name="咖啡一元一分")).to_contain_text("生效中")


def test_faults_stand_at_their_rows_all_at_once_and_nothing_typed_is_lost(studio_page: Any) -> None:
    page = studio_page("marketing")
    page.goto("/rules/rule/add/")
    page.get_by_label("Amount", exact=True).fill("none")
    page.get_by_role("button", name="+ Add a condition").click()
    page.get_by_label("Asks about").last.select_option(label="the amount")
    page.get_by_label("Compared how").last.select_option(label="is between")
    page.get_by_label("From").fill("50")
    page.get_by_label("To", exact=True).fill("20")
    page.get_by_role("button", name="+ Add a limit").click()
    page.get_by_label("At most", exact=True).fill("lots")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("This field is required.")).to_have_count(2)
    rows = [
        ("effects/0", "Expected a number."),
        ("condition/all/1", "The lower value is above the upper one."),
        ("limits/0", "Expected a number."),
    ]
    for path, message in rows:
        expect(page.locator(f'[data-path="{path}"] > .studio-fault')).to_have_text(message)
    expect(page.get_by_label("From")).to_have_value("50")
    expect(page.get_by_label("Amount", exact=True)).to_have_value("none")
    expect(page.get_by_label("At most", exact=True)).to_have_value("lots")
    assert not RuleVersion.objects.exists()
    page.get_by_label("To", exact=True).fill("90")
    expect(page.locator('[data-path="condition/all/1"] > .studio-fault')).to_have_count(0)
    assert axe_findings(page) == []


def test_a_nested_condition_is_built_by_keyboard_alone(studio_page: Any) -> None:
    page = studio_page("marketing")
    page.goto("/rules/rule/add/")
    page.get_by_label("Name").fill("Weekend stores")

    def press(*keys: str) -> None:
        for key in keys:
            page.keyboard.press(key)

    page.get_by_role("button", name="+ Add a group").focus()
    press("Enter")
    page.keyboard.type("the store")
    press("Tab", "Tab")
    page.keyboard.type("s001")
    press("Enter")
    page.keyboard.type("harb")
    press("Enter", "Backspace")
    page.keyboard.type("harb")
    press("Enter", *["Tab"] * 5, "Enter")
    page.keyboard.type("the day of the week")
    press("Tab")
    page.keyboard.type("is one")
    press(*["Tab"] * 6, "Space", "Tab", "Space")
    condition = {"any": [{"field": "event.store", "op": "within", "value": ["S001", "S003"]},
                         {"field": "event.weekday", "op": "in", "value": [6, 7]}]}  # fmt: skip
    assert page.evaluate("ruleEditor.definition().condition.all[1]") == condition
    press("Alt+ArrowUp")
    assert page.evaluate("ruleEditor.definition().condition.all[1].any.map(row => row.field)") == [
        "event.weekday", "event.store",
    ]  # fmt: skip
    expect(page.get_by_role("status").filter(has_text="Moved: now Condition 2.1.")).to_have_count(1)
    press("Control+z", "Control+Enter")
    expect(page.get_by_text("The draft is saved. Try it, then publish it.")).to_be_visible()
    version = RuleVersion.objects.get()
    assert (version.state, version.definition["condition"]["all"][1]) == ("draft", condition)


MOVES = """() => {
    const { built, get, modeOf, move, normal, step } = Conditions.tree;
    let seed = 7;
    const random = (most) => { seed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0; return (seed >>> 8) % most; };
    const grown = (depth) => (depth < 4 && random(5) < 3
        ? built(["all", "any", "not any", "not all"][random(4)], [...Array(random(4))].map(() => grown(depth + 1)))
        : { field: `f${random(1000)}` });
    const walked = (node, path, see) => { const group = modeOf(node); if (!group) return;
        see.lists.push([...path, ...group.keys]);
        group.children.forEach((child, number) => { const row = [...path, ...group.keys, number]; see.rows.push(row); walked(child, row, see); }); };
    const leaves = (node) => (modeOf(node) ? modeOf(node).children.flatMap(leaves) : [node.field]);
    const seen = (tree) => { const see = { rows: [], lists: [] }; walked(tree, [], see); return see; };
    const done = { moved: 0, stepped: 0, wrong: 0 };
    for (let round = 0; round < 1500; round += 1) {
        const tree = normal(grown(0));
        const { rows, lists } = seen(tree);
        if (!rows.length) continue;
        const [from, list, kept] = [rows[random(rows.length)], lists[random(lists.length)], leaves(tree).sort().join()];
        const node = get(tree, from);
        const place = move(tree, from, list, random(get(tree, list).length + 1));
        if ((place && get(tree, place) !== node) || leaves(tree).sort().join() !== kept) done.wrong += 1;
        if (place) done.moved += 1;
        const [again, before, by] = [seen(tree).rows, JSON.stringify(tree), random(2) ? 1 : -1];
        const stepped = step(tree, again[random(again.length)], by);
        if (!stepped) continue;
        done.stepped += 1;
        if (!step(tree, stepped, -by) || JSON.stringify(tree) !== before) done.wrong += 1;
    }
    return done;
}"""


def test_whatever_is_moved_nothing_is_lost_and_a_step_back_undoes_a_step(studio_page: Any) -> None:
    page = studio_page("marketing")
    page.goto("/rules/rule/add/")
    done = page.evaluate(MOVES)
    assert (done["wrong"], done["moved"] > 500, done["stepped"] > 200) == (0, True, True), done


def test_rows_are_dragged_stepped_duplicated_pasted_and_brought_back(studio_page: Any, group: CoffeeGroup) -> None:
    leaves = [{"field": "event.channel", "op": "in", "value": [name]} for name in ("app", "web", "shop")]
    definition = {"condition": {"all": [*leaves[:2], {"any": [leaves[2]]}]}, "effects": [PER_YUAN]}
    draft = yuan(group, definition)
    page = studio_page("marketing", language="zh-hans")
    page.goto(f"/rules/rule/{draft.rule_id}/change/")

    def said() -> Any:
        def short(node: Any) -> Any:
            return [short(each) for each in node["any"]] if "any" in node else "+".join(node["value"])

        return [short(node) for node in page.evaluate("ruleEditor.definition().condition.all")]

    def handle(name: str) -> Any:
        return page.get_by_role("button", name=name, exact=True)

    assert said() == ["app", "web", ["shop"]]
    handle("条件 1").drag_to(handle("条件 3.1"), target_position={"x": 10, "y": 34})
    assert said() == ["web", ["shop", "app"]]
    page.locator("[data-at='condition/all/1/any/1/down']").click()
    assert said() == ["web", ["shop"], "app"]
    handle("条件 1").press("Alt+ArrowDown")
    assert said() == [["web", "shop"], "app"]
    handle("条件 1.1").press("Control+d")
    page.get_by_role("group", name="条件 1", exact=True).get_by_role("button", name="复制").first.click()
    assert said() == [["web", "web", "shop"], ["web", "web", "shop"], "app"]
    handle("条件 2").press("Delete")
    assert said() == [["web", "web", "shop"], "app"]
    page.get_by_role("button", name="撤销").click()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert said() == [["web", "shop"], "app"]
    page.keyboard.press("Control+y")
    assert said() == [["web", "web", "shop"], "app"]

    box = page.locator("[data-at='condition/all/1/value']")
    box.evaluate("""box => { const data = new DataTransfer(); data.setData("text/plain", "pos\\r\\nkiosk\\n");
        box.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})); }""")
    box.type("微信，" + "x" * 501)
    assert said()[1] == "app+pos+kiosk+微信+" + "x" * 501
    expect(page.locator("[data-path='condition/all/1'] > .studio-fault")).to_have_text("最多 500 个字符。")
    box.fill("")
    expect(page.locator("[data-path='condition/all/1'] > .studio-fault")).to_have_count(0)
    expect(page.locator("[data-path='condition/all/1'] .studio-chip")).to_have_count(4)
    assert axe_findings(page) == []


def test_who_saves_a_draft_that_somebody_changed_meanwhile_is_told_and_keeps_what_they_typed(
    studio_page: Any, group: CoffeeGroup
) -> None:
    draft = yuan(group)
    page = studio_page("marketing")
    page.goto(f"/rules/rule/{draft.rule_id}/change/")
    services.save_draft(None, draft, YUAN | {"limits": [CAP_A_DAY | {"most": 10}]}, when=now())
    page.get_by_role("button", name="+ Add a limit").click()
    page.get_by_label("At most", exact=True).fill("20")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Somebody changed this since you opened it.")).to_be_visible()
    assert RuleVersion.objects.get().definition["limits"] == [CAP_A_DAY | {"most": 10}]
    expect(page.get_by_label("At most", exact=True)).to_have_value("20")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    assert RuleVersion.objects.get().definition["limits"] == [CAP_A_DAY | {"most": 20}]


def test_a_draft_is_saved_as_one_types_and_never_over_what_somebody_else_saved(
    studio_page: Any, group: CoffeeGroup
) -> None:
    draft = yuan(group)
    page = studio_page("marketing")
    page.goto(f"/rules/rule/{draft.rule_id}/change/")
    page.get_by_role("button", name="+ Add a limit").click()
    cap, note = page.get_by_label("At most", exact=True), page.locator("[data-rule-saved]")
    cap.fill("lots")
    expect(note).to_have_text("Not saved yet: mend what is marked.")
    cap.fill("20")
    expect(note).to_have_text("Saved.")
    draft.refresh_from_db()
    assert (draft.definition["limits"], draft.revision) == ([CAP_A_DAY | {"most": 20}], 2)

    services.save_draft(None, draft, YUAN | {"limits": [CAP_A_DAY | {"most": 10}]}, when=now())
    cap.fill("30")
    told = page.get_by_role("alert").filter(has_text="What you write here is kept")
    expect(told).to_contain_text("ago by somebody else")
    expect(told).to_contain_text(
        "Limit: at most 10 points a day for one member → at most 30 points a day for one member"
    )
    assert axe_findings(page) == []
    cap.fill("40")
    told.get_by_role("button", name="Take theirs").click()
    expect(cap).to_have_value("10")
    assert RuleVersion.objects.get().definition["limits"] == [CAP_A_DAY | {"most": 10}]
    page.keyboard.press("Control+z")
    expect(cap).to_have_value("40")
    expect(note).to_have_text("Saved.")
    assert RuleVersion.objects.get().definition["limits"] == [CAP_A_DAY | {"most": 40}]


def test_a_phone_shows_the_whole_rule_and_axe_finds_nothing(studio_page: Any, group: CoffeeGroup) -> None:
    draft = yuan(group)
    for theme in ("light", "dark"):
        page = studio_page("marketing", width=390, theme=theme)
        page.goto(f"/rules/rule/{draft.rule_id}/change/")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert axe_findings(page) == []


def test_what_is_empty_in_a_new_row_is_no_fault_before_somebody_has_been_there(
    studio_page: Any, group: CoffeeGroup
) -> None:
    draft = yuan(group)
    page = studio_page("marketing")
    page.goto(f"/rules/rule/{draft.rule_id}/change/")
    faults = page.locator(".studio-rule-parts .studio-fault")
    with page.expect_response("**/preview/"):
        page.get_by_label("How points are given").select_option(label="Decision table")
    with page.expect_response("**/preview/"):
        page.get_by_role("button", name="+ Add a limit").click()
    expect(page.locator("[data-rule-saved]")).to_have_text("Not saved yet.")
    expect(faults).to_have_count(0)
    page.get_by_label("Points, Row 1", exact=True).focus()
    expect(page.locator("[data-path='limits/0'] > .studio-fault")).to_have_count(1)
    expect(faults).to_have_count(1)
    page.get_by_label("How points are given").focus()
    expect(page.locator("[data-path='effects/0/rows/0'] .studio-fault")).not_to_have_count(0)
    page.get_by_role("button", name="No condition").click()
    expect(page.locator("[data-path='effects/0/rows/0'] [data-row]")).to_have_count(0)
    assert page.evaluate("ruleEditor.definition().effects[0].rows[0].when") == {"all": []}


def test_a_decision_table_is_pasted_from_a_spreadsheet_filled_and_turned_over(
    studio_page: Any, group: CoffeeGroup
) -> None:
    draft = yuan(group)
    page = studio_page("marketing")
    page.goto(f"/rules/rule/{draft.rule_id}/change/")
    page.get_by_label("How points are given").select_option(label="Decision table")

    def table() -> Any:
        rows = page.evaluate("ruleEditor.definition().effects[0].rows")
        return [(row["when"]["all"][0]["value"], row["points"], row["per"]) for row in rows]

    def paste(box: Any, text: str) -> None:
        box.evaluate(
            """(box, text) => { const data = new DataTransfer(); data.setData("text/plain", text);
            box.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})); }""",
            text,
        )

    def points(number: int) -> Any:
        return page.get_by_label(f"Points, Row {number}", exact=True)

    paste(points(1), "500\t60\r\n100\t10\r\n50\t5\r\n")
    assert table() == [("500", "60", None), ("100", "10", None), ("50", "5", None)]
    paste(points(2), "1,200\n7")
    assert [row[1] for row in table()] == ["60", "1200", "7"]
    points(1).press("Enter")
    page.keyboard.press("Alt+ArrowUp")
    assert [row[0] for row in table()] == ["100", "500", "50"]
    page.get_by_role("button", name="Row 3", exact=True).press("Control+d")
    page.get_by_role("button", name="Row 2", exact=True).drag_to(
        page.get_by_role("button", name="Row 1", exact=True), target_position={"x": 5, "y": 2}
    )
    assert [row[0] for row in table()] == ["500", "100", "50", "50"]
    page.get_by_role("button", name="Fill down").nth(1).click()
    assert [row[1] for row in table()] == ["60", "1200", "1200", "1200"]
    page.keyboard.press("Control+z")
    page.get_by_role("button", name="Row 4", exact=True).press("Delete")
    points(3).fill("5.5")
    fault = page.locator("[data-path='effects/0/rows/2'] .studio-fault")
    expect(fault).to_have_text("Expected a whole number.")
    page.get_by_label("for each CNY, Row 3").fill("10")
    expect(fault).to_have_count(0)
    expect(page.locator("[data-rule-saved]")).to_have_text("Saved.")
    assert axe_findings(page) == []
    saved = RuleVersion.objects.get().definition["effects"][0]
    assert [(row["points"], row["per"]) for row in saved["rows"]] == [("60", None), ("1200", None), ("5.5", "10")]


def test_what_a_rate_leaves_out_stands_below_it_and_goes_where_it_makes_no_sense(
    studio_page: Any, group: CoffeeGroup
) -> None:
    draft = yuan(group)
    page = studio_page("marketing")
    page.goto(f"/rules/rule/{draft.rule_id}/change/")
    page.get_by_text("Tax, shipping and rounding").click()
    page.get_by_label("What counts of the price").select_option(label="tax and shipping do not count")
    page.get_by_label("What is rounded").select_option(label="each line rounded by itself")
    expect(page.locator("[data-rule-saved]")).to_have_text("Saved.")
    effect = RuleVersion.objects.get().definition["effects"][0]
    assert (effect["without"], effect["each"]) == (["tax", "shipping"], "line")
    page.reload()
    page.get_by_label("What counts of the price").wait_for(state="visible")
    page.get_by_label("How points are given").select_option(label="Points per piece")
    assert page.evaluate("ruleEditor.definition().effects[0].without") == ["shipping"]
    page.get_by_label("How points are given").select_option(label="Fixed points")
    expect(page.get_by_text("Tax, shipping and rounding")).to_have_count(0)
    assert page.evaluate("'each' in ruleEditor.definition().effects[0]") is False


def test_how_many_members_a_rule_could_reach_and_which_purchases_it_meets_stand_below_its_sentence(
    studio_page: Any, group: CoffeeGroup
) -> None:
    enrol_many(
        [("card", f"C{n}", group.units[code].pk, now().date()) for n, code in enumerate(["S001", "S001", "S003"])],
        when=now(),
    )
    asked = {"all": [*PURCHASE["all"], {"field": "member.home_unit", "op": "within", "value": ["EAST-N"]}]}
    draft = services.create_rule(
        None, group.east, group["EAST"], code="north", name="North", when=now(),
        definition={"condition": asked, "effects": [PER_YUAN], "limits": []},
    )  # fmt: skip
    zone = ZoneInfo(group.east.time_zone)
    at = start_of_day(local_day(now(), zone).replace(day=1), zone) - timedelta(hours=1)
    told = [
        purchase("10", member=f"C{n}", store=code, occurred_at=at) for n, code in enumerate(["S001", "S001", "S003"])
    ]
    Till(group, source_for("test", group["EAST"])).send(*told, when=now())
    for language, reached, met in (
        ("en", "2 of 3 members", "66 % of last month’s purchases"),
        ("zh-hans", "3 位会员中的 2 位", "上月消费的 66%"),
    ):
        page = studio_page("marketing", language=language)
        page.goto(f"/rules/rule/{draft.rule_id}/change/")
        expect(page.locator("[data-rule-count]")).to_have_text(reached)
        expect(page.locator("[data-rule-purchases]")).to_have_text(met)


def test_a_kind_of_event_that_only_ones_own_systems_know_is_typed_and_points_wait_for_it(
    studio_page: Any, group: CoffeeGroup
) -> None:
    version = yuan(group)
    page = studio_page("marketing")
    page.goto(f"/rules/rule/{version.rule_id}/change/")
    page.locator('[data-at="condition/all/0/value"]').select_option(label="another…")
    page.get_by_label("As your systems call it, such as delivery").fill("receipt")
    page.get_by_label("They can be spent").select_option(label="when an event confirms them")
    page.get_by_label("Kind of event, such as delivery").fill("delivery")
    expect(page.locator('[data-rule-sentence="en"]')).to_contain_text(
        "when the event is “receipt”; these points become spendable once “delivery” confirms what earned them."
    )
    expect(page.locator("[data-rule-saved]")).to_contain_text("Saved")
    page.reload()
    expect(page.get_by_label("As your systems call it, such as delivery")).to_have_value("receipt")
    expect(page.get_by_label("Kind of event, such as delivery")).to_have_value("delivery")
    assert axe_findings(page) == []
