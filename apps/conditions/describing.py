"""A catalogue as data for the page that edits conditions: fields with their types, operators, choices, and words. Pure."""

from typing import Any

from apps.conditions.catalogue import Catalogue, Field
from apps.conditions.operators import operators_of
from apps.conditions.types import WEEKDAYS, Type
from apps.conditions.windows import LONGEST, NAMED
from apps.conditions.words import Words

GROUPS = {
    "event": Words("Event", "事件"),
    "member": Words("Member", "会员"),
    "line": Words("Line of the order", "订单明细"),
    "history": Words("What the member did before", "会员的历史行为"),
}
LINES = Words("Lines of the order", "订单明细")
QUANTIFIERS = {
    "any": Words("at least one line where", "至少有一行明细满足"),
    "all": Words("every line where", "每一行明细都满足"),
    "none": Words("no line where", "没有任何明细满足"),
    "count": Words("the number of lines", "明细行数"),
}
SUM = Words("the sum of {field}", "{field}合计")
OWN_ATTRIBUTE = Words("{family} own attribute…", "{family}自定义属性…")
MODES = {
    "all": Words("all of these hold", "满足以下全部条件"),
    "any": Words("at least one of these holds", "满足以下任一条件"),
    "not any": Words("none of these holds", "以下条件都不满足"),
    "not all": Words("not all of these hold", "以下条件不全部满足"),
}
WORDS = {
    "how": Words("How these conditions combine", "以下条件的组合方式"),
    "add": Words("Add a condition", "添加条件"),
    "group": Words("Add a group", "添加条件组"),
    "remove": Words("Remove", "移除"),
    "remove_group": Words("Remove this group", "移除此条件组"),
    "field": Words("Asks about", "条件字段"),
    "operator": Words("Compared how", "比较方式"),
    "value": Words("Value", "值"),
    "low": Words("From", "下限"),
    "high": Words("To", "上限"),
    "and": Words("and", "至"),
    "key": Words("Name of the attribute", "属性名称"),
    "window": Words("Over which time", "时间范围"),
    "last_days": Words("the last … days", "最近 … 天"),
    "days": Words("Number of days", "天数"),
    "commas": Words("Several values: separate them with commas", "多个值用逗号分隔"),
    "choose": Words("Choose…", "请选择…"),
    "where": Words("of lines where", "其中明细满足"),
    "only_where": Words("Only some lines", "仅限部分明细"),
    "always": Words("No condition yet: this always holds.", "尚无条件：始终成立。"),
}


def describe(catalogue: Catalogue, language: str) -> dict[str, Any]:
    """What the editor of trees needs; texts in the language of that code."""

    def say(words: Words) -> str:
        return words.in_language(language)

    described: dict[str, Any] = {
        "fields": [_field(field, language) for field in catalogue.fields],
        "families": [
            {"prefix": family.prefix, "label": say(OWN_ATTRIBUTE).format(family=say(family.label)),
             "group": say(GROUPS[family.prefix.partition(".")[0]])}
            for family in catalogue.families
        ],
        "operators": {
            kind.value: [
                {"code": operator.code, "label": say(operator.label_for(kind)), "shape": operator.shape.value}
                for operator in operators_of(kind)
            ]
            for kind in Type
        },
        "windows": [[code, say(name)] for code, (name, _clause) in NAMED.items()],
        "longest_window": LONGEST,
        "weekdays": [[number, say(day)] for number, day in enumerate(WEEKDAYS, 1)],
        "modes": [[code, say(words)] for code, words in MODES.items()],
        "words": {name: say(words) for name, words in WORDS.items()},
    }  # fmt: skip
    if catalogue.lines is not None:
        by_name = {field.name: field for field in catalogue.lines.fields}
        sums = [(f"sum {name}", say(SUM).format(field=say(by_name[name].label))) for name in catalogue.lines.sums]
        quantifiers = [(code, say(words)) for code, words in QUANTIFIERS.items()]
        described["lines"] = {"label": say(LINES), "quantifiers": [*quantifiers, *sums]}
        described["line"] = describe(catalogue.of_lines(), language)
    return described


def _field(field: Field, language: str) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label.in_language(language),
        "group": GROUPS[field.name.partition(".")[0]].in_language(language),
        "type": field.type.value,
        "windowed": field.windowed,
        "choices": [[code, words.in_language(language)] for code, words in field.choices],
    }
