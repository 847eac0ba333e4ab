"""A rule as one sentence a person reads, in English and in Chinese, from whole-sentence templates. Pure.

A definition is written as far as it can be read: what is missing or wrong stands as “…”, so that the sentence can
be shown while somebody types.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from apps.conditions.catalogue import Catalogue, Field
from apps.conditions.sentences import AND, listed, sentence
from apps.conditions.tree import ConditionError, Group, Leaf, Tree, leaves, parse
from apps.conditions.types import Type, WrongValue, read_value
from apps.conditions.words import Words
from apps.core.formats import money, number
from apps.points.words import DAY, DAYS, YEAR, YEARS
from apps.points.words import PERIODS as EXPIRY_PERIODS
from apps.rules.catalogue import CATALOGUE, LINE_CATALOGUE, by_name, knowing
from apps.rules.kinds import KINDS, kind_name

BLANK = "…"


@dataclass(frozen=True)
class Names:
    """What the codes in a definition are called. `place` is where the rule applies, if not in its whole programme."""

    currency: str = "CNY"
    point_types: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    place: str = ""
    special_days: Mapping[str, str] = field(default_factory=dict)
    attributes: tuple[Field, ...] = ()
    """What members' attributes are called, as `attribute_fields` tells it."""

    @cached_property
    def catalogue(self) -> Catalogue:
        """What conditions ask about, by these names."""
        known = by_name(self.attributes)
        return knowing(self.special_days, known) if self.special_days else CATALOGUE.extend(fields=known)


WHOLE = {
    # Has it limits, has it a condition?
    (False, False): Words("{earning}.", "{earning}。"),
    (True, False): Words("{earning}, {limits}.", "{earning}，{limits}。"),
    (False, True): Words("{earning}, when {condition}.", "当{condition}时，{earning}。"),
    (True, True): Words("{earning}, {limits}, when {condition}.", "当{condition}时，{earning}，{limits}。"),
}
LIMITS = {
    "points": Words("at most {most} points {scope}", "{scope}最多 {most} 积分"),
    "times": Words("at most {most} times {scope}", "{scope}最多 {most} 次"),
    "amount": Words("on at most {most} spent {scope}", "{scope}最多 {most} 的消费计分"),
    "pieces": Words("on at most {most} pieces {scope}", "{scope}最多 {most} 件计分"),
    "cost": Words("at a cost of at most {most} {scope}", "{scope}积分成本最多 {most}"),
}
ONCE = Words("at most once {scope}", "{scope}最多 1 次")
ON_ONE = Words("on at most {most} piece {scope}", "{scope}最多 {most} 件计分")
SCOPES = {
    "member": Words("for one member", "每位会员"),
    "store": Words("in one store", "每家门店"),
    "programme": Words("in all", "整个计划"),
    "device": Words("from one device", "每台设备"),
    "event": Words("for one event", "每次事件"),
}
IN_ALL = Words("in all", "整个计划累计")
"""Of a whole programme, ever."""
EACH_PERIOD = Words("{period} {scope}", "{scope}{period}")
PERIODS = {
    "day": Words("a day", "每天"),
    "week": Words("a week", "每周"),
    "month": Words("a month", "每月"),
    "quarter": Words("a quarter", "每季度"),
    "year": Words("a year", "每年"),
    "ever": Words("ever", "累计"),
}
STACKING = {
    "best": Words("of the group “{group}” only the rule that gives most", "“{group}”组中仅取积分最多的规则"),
    "first": Words("of the group “{group}” only the first rule that gives any", "“{group}”组中仅取首个给分的规则"),
    "sum": Words("added to the other rules of the group “{group}”", "与“{group}”组中的其他规则累加"),
}
VALIDITY = Words("{rule}; these points {validity}.", "{rule}；这些积分{validity}。")
VALIDITY_AND = Words(" and ", "，")
EXPIRY = {
    "never": Words("never expire", "永不过期"),
    "after_days": Words("expire {days} after the day they are earned", "自获得日起 {days}后过期"),
    "end_of": Words("expire at the end of the {period} they are earned in", "在获得{period}过期"),
    "end_of_next_year": Words("expire at the end of the next year", "在获得次年年底过期"),
    "end_of_years": Words(
        "expire {years} after the end of the {period} they are earned in", "在获得{period}再过 {years}后过期"
    ),
    "end_of_days": Words(
        "expire {days} after the end of the {period} they are earned in", "在获得{period}再过 {days}后过期"
    ),
    "end_of_years_days": Words(
        "expire {years} and {days} after the end of the {period} they are earned in",
        "在获得{period}再过 {years} {days}后过期",
    ),
}
PENDING_DAYS = Words("become spendable {days} after they are earned", "获得 {days}后可用")
PENDING_NONE = Words("are spendable at once", "立即可用")
PENDING_UNTIL = Words("become spendable once “{kind}” confirms what earned them", "待“{kind}”事件确认后可用")
LIMITS_AND = Words(" and ", "，且")
PLACED = Words("in {place}, {earning}", "在{place}，{earning}")
AND_ALSO = Words("; in addition, ", "；另外，")
PER_AMOUNT = {
    "down": Words(
        "for each {per} spent, members earn {points}, rounded down", "每消费 {per}，会员获得 {points}，向下取整"
    ),
    "half_up": Words(
        "for each {per} spent, members earn {points}, rounded to the nearest whole point",
        "每消费 {per}，会员获得 {points}，四舍五入取整",
    ),
    "up": Words("for each {per} spent, members earn {points}, rounded up", "每消费 {per}，会员获得 {points}，向上取整"),
    "carry": Words(
        "for each {per} spent, members earn {points}, and what is left over counts next time",
        "每消费 {per}，会员获得 {points}，不足部分累计到下次",
    ),
}
PER_AMOUNT_ON = {
    "down": Words(
        "for each {per} spent on {what}, members earn {points}, rounded down",
        "{what}每消费 {per}，会员获得 {points}，向下取整",
    ),
    "half_up": Words(
        "for each {per} spent on {what}, members earn {points}, rounded to the nearest whole point",
        "{what}每消费 {per}，会员获得 {points}，四舍五入取整",
    ),
    "up": Words(
        "for each {per} spent on {what}, members earn {points}, rounded up",
        "{what}每消费 {per}，会员获得 {points}，向上取整",
    ),
    "carry": Words(
        "for each {per} spent on {what}, members earn {points}, and what is left over counts next time",
        "{what}每消费 {per}，会员获得 {points}，不足部分累计到下次",
    ),
}
PER_QUANTITY = {
    rounding: Words(words.en.replace("{per} spent", "{per} bought"), words.zh.replace("消费 {per}", "购买 {per}"))
    for rounding, words in PER_AMOUNT.items()
}
PER_QUANTITY_ON = {
    rounding: Words(
        words.en.replace("{per} spent on {what}", "{per} of {what} bought"),
        words.zh.replace("消费 {per}", "购买 {per}"),
    )
    for rounding, words in PER_AMOUNT_ON.items()
}
ONE_PIECE, PIECES = Words("{n} piece", "{n} 件"), Words("{n} pieces", "{n} 件")
MULTIPLY = {
    "base": Words(
        "members earn {times} × the points{kind} that other rules give", "会员获得其他规则所给积分{kind}的 {times} 倍"
    ),
    "all": Words(
        "members earn {times} × all points{kind} given before, earlier multipliers included",
        "会员获得此前全部积分{kind}的 {times} 倍（含其他倍数）",
    ),
}
OF_KIND = Words(" of “{kind}”", "（{kind}）")
TABLE = {
    "first": Words("members earn by the first row that holds{how}: {rows}", "会员按首个满足的行获得积分{how}：{rows}"),
    "best": Words("members earn by the row that gives most{how}: {rows}", "会员按积分最多的行获得积分{how}：{rows}"),
    "sum": Words("members earn by every row that holds{how}: {rows}", "会员按所有满足的行累计获得积分{how}：{rows}"),
}
WITHOUT = {
    # Is tax left out, is shipping?
    (True, False): Words(", tax left out", "，不含税"),
    (False, True): Words(", shipping left out", "，不含运费"),
    (True, True): Words(", tax and shipping left out", "，不含税和运费"),
}
EACH_LINE = Words(", each line by itself", "，每行明细单独取整")
ROW = Words("{points} when {condition}", "{condition}时{points}")
ROW_ALWAYS = Words("{points} otherwise", "其他情况{points}")
ROW_ONCE = Words("{points}", "得 {points}")
ROW_PER = Words("{points} for each {per}", "每 {per} 得 {points}")
ROWS_AND = Words("; ", "；")
GOAL = Words("once a member has {goal}{period}, {earning}", "会员{period}{goal}后，{earning}")
STEP = Words("for every {goal}{period}, {earning}", "会员{period}每{goal}，{earning}")
FIRES = {
    "goal": Words("once {goal}{period}", "{period}{goal}后"),
    "step": Words("for every {goal}{period}", "{period}每{goal}"),
}
GOALS = {
    "events": Words("{n} such events", "满 {n} 次"),
    "amount": Words("{money} spent", "消费满 {money}"),
    "pieces": Words("{n} pieces bought", "购满 {n} 件"),
    "stores": Words("{n} different stores", "到过 {n} 家不同门店"),
    "channels": Words("{n} different channels", "用过 {n} 个不同渠道"),
    "days": Words("{n} different days with such events", "累计 {n} 天"),
    "articles": Words("{n} different articles", "买过 {n} 种不同商品"),
    "categories": Words("{n} different categories", "买过 {n} 个不同品类"),
    "attribute_sum": Words("{n} in “{attribute}”", "“{attribute}”累计满 {n}"),
    "attribute_values": Words("{n} different values of “{attribute}”", "有过 {n} 个不同的“{attribute}”"),
    "streak": Words("{n} days in a row", "连续 {n} 天"),
}
GOAL_OF = Words("{goal} (of {what})", "{goal}（{what}）")
WITHIN = {
    "day": Words(" in a day", "当日"),
    "week": Words(" in a week", "当周"),
    "month": Words(" in a month", "当月"),
    "quarter": Words(" in a quarter", "当季度"),
    "year": Words(" in a year", "当年"),
    "ever": Words("", ""),
}
TAGGED = Words("members get the tag “{tag}”{time}", "会员获得标签“{tag}”{time}")
TAG_TIMES = {
    # From when on, and is there a number of days?
    ("now", False): Words("", ""),
    ("now", True): Words(" for {days} days", "，有效 {days} 天"),
    ("next_week", False): Words(" for the next week", "，下周有效"),
    ("next_week", True): Words(" for {days} days from the next week on", "，自下周起有效 {days} 天"),
    ("next_month", False): Words(" for the next month", "，次月有效"),
    ("next_month", True): Words(" for {days} days from the next month on", "，自次月起有效 {days} 天"),
    ("next_quarter", False): Words(" for the next quarter", "，下季度有效"),
    ("next_quarter", True): Words(" for {days} days from the next quarter on", "，自下季度起有效 {days} 天"),
    ("next_year", False): Words(" for the next year", "，次年有效"),
    ("next_year", True): Words(" for {days} days from the next year on", "，自次年起有效 {days} 天"),
}
HELD = Words(
    "all points of the event wait for a review (“{reason}”)", "该事件的全部积分须经人工审核后才可用（“{reason}”）"
)
FIXED = Words("members earn {points}", "会员获得 {points}")
NOTHING = Words("members earn …", "会员获得 …")
ONE_POINT, POINTS = Words("{n} point", "{n} 积分"), Words("{n} points", "{n} 积分")
ONE_POINT_OF = Words("{n} point of “{kind}”", "{n} 分“{kind}”")
POINTS_OF = Words("{n} points of “{kind}”", "{n} 分“{kind}”")
LINES_WHERE = Words("lines where {clause}", "明细满足“{clause}”的部分")
GOODS = {
    "line.brand": Words("{values} goods", "{values}牌商品"),
    "line.category": Words("{values}", "{values}类商品"),
    "line.sku": Words("article {values}", "商品 {values}"),
}


def rule_sentence(definition: Any, names: Names, language: str) -> str:
    """The whole rule as one sentence in the language of that code."""
    return Writer(names, language).whole(definition if isinstance(definition, dict) else {})


def rate(effect: Mapping[str, Any], names: Names, language: str) -> str:
    """One effect as a clause, as the sentence has it."""
    return Writer(names, language).effect(effect)


def limit_words(limit: Mapping[str, Any], currency: str, language: str) -> str:
    """One limit as a clause, as the sentence has it."""
    return Writer(Names(currency), language).limit(limit)


def goal_words(accumulator: Mapping[str, Any], names: Names, language: str) -> str:
    """What a rule gathers, and until when, as the sentence has it: `10 such events in a month`."""
    return Writer(names, language).goal(accumulator, with_period=True)


def firing_words(accumulator: Mapping[str, Any], names: Names, language: str) -> str:
    """When a rule with a goal gives: `for every 10 such events in a month`."""
    writer = Writer(names, language)
    words = FIRES[str(accumulator["fires"])]
    return writer.say(words, goal=writer.goal(accumulator), period=writer.period_of(accumulator))


def stacking_words(stacking: Mapping[str, Any], language: str) -> str:
    """How a rule stands beside others of its group, as the sentence has it."""
    words = STACKING.get(str(stacking.get("take"))) or STACKING["best"]
    return words.in_language(language).format(group=stacking.get("group") or BLANK)


def validity_words(validity: Mapping[str, Any], language: str) -> str:
    """When a rule's points expire and become spendable, as the sentence has it; empty where it says nothing."""
    return Writer(Names(), language).validity(validity)


def condition_words(data: Any, names: Names, language: str) -> str:
    """A condition as a clause; empty where it always holds. Parts that cannot be read yet stand as one “…” at the end."""
    tree, is_whole = _readable(data, names.catalogue)
    clause = sentence(tree, names.catalogue, language, names.units) if tree and any(leaves(tree)) else ""
    if is_whole:
        return clause
    return (AND if clause else Words("", "")).in_language(language).join((clause, BLANK))


def _readable(data: Any, catalogue: Catalogue) -> tuple[Tree | None, bool]:
    """As much of a tree as can be read, and whether that is all of it: the parts of the uppermost group one by one."""
    try:
        return parse(data, catalogue), True
    except ConditionError:
        kind = next((kind for kind in ("all", "any") if isinstance(data, dict) and set(data) == {kind}), None)
    if kind is None or not isinstance(data[kind], list):
        return None, False
    parts = [_readable(part, catalogue) for part in data[kind][:50]]
    return Group(kind, tuple(tree for tree, is_whole in parts if tree and is_whole)), False


class Writer:
    """Says a definition, as far as it is written, with its names in one language."""

    def __init__(self, names: Names, language: str) -> None:
        self.names, self.language = names, language

    def say(self, words: Words, **slots: str) -> str:
        return words.in_language(self.language).format(**slots)

    def whole(self, definition: Mapping[str, Any]) -> str:
        clauses = [self.effect(each) for each in _dicts(definition.get("effects"))]
        earning = self.say(AND_ALSO).join(clauses) or self.say(NOTHING)
        gathered = definition.get("accumulator")
        if isinstance(gathered, dict):
            words = STEP if gathered.get("fires") == "step" else GOAL
            earning = self.say(words, goal=self.goal(gathered), period=self.period_of(gathered), earning=earning)
        if self.names.place:
            earning = self.say(PLACED, place=self.names.place, earning=earning)
        limits, condition = self.limits(definition), self.condition(definition)
        text = self.say(WHOLE[bool(limits), bool(condition)], earning=earning, limits=limits, condition=condition)
        validity = definition.get("validity")
        if isinstance(validity, dict) and (said := self.validity(validity)):
            text = self.say(VALIDITY, rule=text.rstrip(".。"), validity=said)
        return (text[:1].upper() + text[1:]).replace(f"{BLANK}.", BLANK)

    def validity(self, validity: Mapping[str, Any]) -> str:
        said = []
        if isinstance(expiry := validity.get("expiry"), dict):
            said.append(self.expiry(expiry))
        if isinstance(pending := validity.get("pending"), dict):
            said.append(self.pending(pending))
        return self.say(VALIDITY_AND).join(said)

    def expiry(self, policy: Mapping[str, Any]) -> str:
        name, period = str(policy.get("kind")), str(policy.get("period"))
        years, days = _read(policy.get("plus_years")), _read(policy.get("plus_days"))
        if name == "end_of":
            name += "_next_year" if period == "year" and years == 1 and not days else ""
            name += ("_years" if years else "") + ("_days" if days else "") if name == "end_of" else ""
        after = "plus_days" if name.startswith("end_of") else "days"
        return self.say(
            EXPIRY.get(name) or EXPIRY["never"],
            days=self.counted(policy.get(after), DAY, DAYS),
            years=self.counted(policy.get("plus_years"), YEAR, YEARS),
            period=self.say(EXPIRY_PERIODS.get(period) or EXPIRY_PERIODS["month"]),
        )

    def pending(self, pending: Mapping[str, Any]) -> str:
        if "until" in pending:
            return self.say(PENDING_UNTIL, kind=str(pending["until"] or BLANK))
        if _read(pending.get("days")) == 0:
            return self.say(PENDING_NONE)
        return self.say(PENDING_DAYS, days=self.counted(pending.get("days"), DAY, DAYS))

    def counted(self, written: Any, one: Words, many: Words) -> str:
        return self.say(one if _read(written) == 1 else many, n=self.figure(written))

    def condition(self, definition: Mapping[str, Any]) -> str:
        return condition_words(definition.get("condition", {"all": []}), self.names, self.language)

    def limits(self, definition: Mapping[str, Any]) -> str:
        said = [self.limit(each) for each in _dicts(definition.get("limits"))]
        stacking = definition.get("stacking")
        if isinstance(stacking, dict):
            said.append(stacking_words(stacking, self.language))
        return self.say(LIMITS_AND).join(said)

    def limit(self, limit: Mapping[str, Any]) -> str:
        per, period, of = (str(limit.get(name)) for name in ("per", "period", "of"))
        scope = self.say(SCOPES.get(per) or SCOPES["member"])
        if (per, period) == ("programme", "ever"):
            scope = self.say(IN_ALL)
        elif per != "event":
            scope = self.say(EACH_PERIOD, period=self.say(PERIODS.get(period) or PERIODS["day"]), scope=scope)
        words = LIMITS.get(of) or LIMITS["points"]
        if _read(limit.get("most")) == 1:
            words = {"times": ONCE, "pieces": ON_ONE}.get(of, words)
        most = self.money(limit.get("most")) if of in ("amount", "cost") else self.figure(limit.get("most"))
        return self.say(words, most=most, scope=scope)

    def goal(self, gathered: Mapping[str, Any], *, with_period: bool = False) -> str:
        at = gathered.get("at")
        words = GOALS.get(str(gathered.get("of"))) or GOALS["events"]
        attribute = str(gathered.get("attribute") or BLANK)
        said = self.say(words, n=self.figure(at), money=self.money(at), attribute=attribute)
        if gathered.get("lines") is not None:
            said = self.say(GOAL_OF, goal=said, what=self.goods(gathered["lines"]))
        if not with_period:
            return said
        period = self.period_of(gathered)
        return said + period if self.language == "en" else period + said

    def period_of(self, gathered: Mapping[str, Any]) -> str:
        return self.say(WITHIN.get(str(gathered.get("period"))) or WITHIN["ever"])

    def tag(self, effect: Mapping[str, Any]) -> str:
        days = effect.get("days")
        times = TAG_TIMES.get((str(effect.get("start")), days not in (None, ""))) or TAG_TIMES["now", False]
        return self.say(TAGGED, tag=str(effect.get("tag") or BLANK), time=self.say(times, days=self.figure(days)))

    def effect(self, effect: Mapping[str, Any]) -> str:
        """What an effect gives; one of no kind is said as the commonest, which leaves blanks."""
        return KINDS[kind_name(effect) or "points_per_amount"].clause(self, effect)

    def hold(self, effect: Mapping[str, Any]) -> str:
        return self.say(HELD, reason=str(effect.get("reason") or BLANK))

    def multiplier(self, effect: Mapping[str, Any]) -> str:
        kind = str(effect.get("point_type") or "")
        named = self.names.point_types.get(kind, kind)
        of_kind = self.say(OF_KIND, kind=named) if len(self.names.point_types) > 1 and kind else ""
        words = MULTIPLY["all" if effect.get("of") == "all" else "base"]
        return self.say(words, times=self.figure(effect.get("times")), kind=of_kind)

    def table(self, effect: Mapping[str, Any]) -> str:
        hit, kind = effect.get("hit"), str(effect.get("point_type") or "")
        rows = [self.row(row, kind) for row in _dicts(effect.get("rows"))]
        words = TABLE[hit if isinstance(hit, str) and hit in TABLE else "first"]
        return self.say(words, how=self.how(effect), rows=self.say(ROWS_AND).join(rows) or BLANK)

    def fixed(self, effect: Mapping[str, Any]) -> str:
        return self.say(FIXED, points=self.points(effect.get("points"), str(effect.get("point_type") or "")))

    def rate(self, effect: Mapping[str, Any]) -> str:
        points = self.points(effect.get("points"), str(effect.get("point_type") or ""))
        rounding = effect.get("rounding")
        key = rounding if isinstance(rounding, str) and rounding in PER_AMOUNT else "down"
        pieces = effect.get("effect") == "points_per_quantity"
        per = self.pieces(effect.get("per")) if pieces else self.money(effect.get("per"))
        if effect.get("lines") is None:
            return self.say((PER_QUANTITY if pieces else PER_AMOUNT)[key], per=per, points=points) + self.how(effect)
        words = (PER_QUANTITY_ON if pieces else PER_AMOUNT_ON)[key]
        return self.say(words, per=per, points=points, what=self.goods(effect["lines"])) + self.how(effect)

    def how(self, effect: Mapping[str, Any]) -> str:
        """What stands behind a rate that leaves something out or rounds line by line."""
        left = effect.get("without")
        words = WITHOUT.get(("tax" in left, "shipping" in left)) if isinstance(left, list) else None
        by_line = self.say(EACH_LINE) if effect.get("each") == "line" else ""
        return by_line + (self.say(words) if words else "")

    def row(self, row: Mapping[str, Any], kind: str) -> str:
        points = self.points(row.get("points"), kind)
        if row.get("per") not in (None, ""):
            points = self.say(ROW_PER, points=points, per=self.money(row.get("per")))
        else:
            points = self.say(ROW_ONCE, points=points)
        condition = condition_words(row.get("when", {"all": []}), self.names, self.language)
        return self.say(ROW if condition else ROW_ALWAYS, points=points, condition=condition)

    def pieces(self, written: Any) -> str:
        return self.say(ONE_PIECE if _read(written) == 1 else PIECES, n=self.figure(written))

    def goods(self, lines: Any) -> str:
        """What the lines that count hold: `coffee` where one category is asked for, else the condition."""
        try:
            tree = parse(lines, LINE_CATALOGUE)
        except ConditionError:
            return BLANK
        leaf = _only_leaf(tree)
        if leaf is not None and leaf.field.name in GOODS and leaf.operator.code in ("eq", "in"):
            return self.say(GOODS[leaf.field.name], values=listed(leaf, self.language))
        return self.say(LINES_WHERE, clause=sentence(tree, LINE_CATALOGUE, self.language, self.names.units))

    def points(self, written: Any, kind: str) -> str:
        """`1 point`; with its kind where the programme has several."""
        value = _read(written)
        is_one = value == 1
        if len(self.names.point_types) > 1 and kind:
            words = ONE_POINT_OF if is_one else POINTS_OF
            return self.say(words, n=self.figure(written), kind=self.names.point_types.get(kind, kind))
        return self.say(ONE_POINT if is_one else POINTS, n=self.figure(written))

    def figure(self, written: Any) -> str:
        value = _read(written)
        return BLANK if value is None else plain(value)

    def money(self, written: Any) -> str:
        value = _read(written)
        return BLANK if value is None else amount(value, self.names.currency)


def plain(value: Decimal) -> str:
    """A number with separators and without needless zeros.

    >>> plain(Decimal("1250.50")), plain(Decimal("100"))
    ('1,250.5', '100')
    """
    exponent = value.normalize().as_tuple().exponent
    return number(value, max(0, -exponent) if isinstance(exponent, int) else 0)


def amount(value: Decimal, currency: str) -> str:
    """Money, whole amounts without decimals.

    >>> amount(Decimal("1.00"), "CNY"), amount(Decimal("0.5"), "CNY")
    ('¥1', '¥0.50')
    """
    return money(value, currency).removesuffix(".00")


def _read(written: Any) -> Decimal | None:
    try:
        value: Decimal = read_value(Type.NUMBER, written)
    except WrongValue:
        return None
    return value


def _dicts(written: Any) -> list[Mapping[str, Any]]:
    return [each for each in written if isinstance(each, dict)] if isinstance(written, list) else []


def _only_leaf(tree: Tree) -> Leaf | None:
    while isinstance(tree, Group) and len(tree.children) == 1:
        tree = tree.children[0]
    return tree if isinstance(tree, Leaf) else None
