"""A catalogue as data for the page that edits conditions: fields with their types, operators, choices, and words. Pure."""

from typing import Any

from apps.conditions.catalogue import Catalogue, Field
from apps.conditions.operators import operators_of
from apps.conditions.types import WEEKDAYS, Type
from apps.conditions.windows import LONGEST, NAMED, TODAY
from apps.conditions.words import Words

SCRIPTS = tuple(
    f"conditions/{name}.js" for name in ("dom", "history", "tree", "values", "faults", "dragging", "builder")
)
"""The builder's parts in the order they build on each other; its face is conditions/conditions.css."""

GROUPS = {
    "event": Words("Event", "事件"),
    "member": Words("Member", "会员"),
    "line": Words("Line of the order", "订单明细"),
    "recent": Words("Just before", "短时间内"),
    "request": Words("Request", "申请"),
    "requester": Words("Requester", "申请人"),
    "history": Words("What the member did before", "会员的历史行为"),
}
THAT_DAY = Words("that day so far", "当天至今")
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
    "last_minutes": Words("the last … minutes", "最近 … 分钟"),
    "minutes": Words("Number of minutes", "分钟数"),
    "commas": Words("Type, then Enter; or paste a column", "输入后按回车，或粘贴一列"),
    "choose": Words("Choose…", "请选择…"),
    "other": Words("another…", "其他…"),
    "other_value": Words("As your systems call it, such as delivery", "按系统中的写法，例如 delivery"),
    "search": Words("Name or code…", "名称或编码…"),
    "none_found": Words("Nothing is called that.", "没有匹配的项。"),
    "narrow": Words("{n} more: type on to find them.", "还有 {n} 项，请继续输入以缩小范围。"),
    "more": Words("{n} more", "另外 {n} 个"),
    "pasted": Words("{n} values pasted.", "已粘贴 {n} 个值。"),
    "where": Words("of lines where", "其中明细满足"),
    "only_where": Words("Only some lines", "仅限部分明细"),
    "no_condition": Words("No condition", "无条件"),
    "always": Words("No condition yet: this always holds.", "尚无条件：始终成立。"),
    "row": Words("Condition {number}", "条件 {number}"),
    "handle": Words(
        "Drag to move. Keys: Alt+↑ ↓ move, Ctrl+D duplicates, Delete removes",
        "拖动以移动。按键：Alt+↑ ↓ 移动，Ctrl+D 复制，Delete 移除",
    ),
    "up": Words("Move up", "上移"),
    "down": Words("Move down", "下移"),
    "duplicate": Words("Duplicate", "复制"),
    "undo": Words("Undo (Ctrl+Z)", "撤销 (Ctrl+Z)"),
    "redo": Words("Redo (Ctrl+Y)", "重做 (Ctrl+Y)"),
    "added": Words("Added.", "已添加。"),
    "removed": Words("Removed: {what}. Ctrl+Z brings it back.", "已移除：{what}。按 Ctrl+Z 恢复。"),
    "duplicated": Words("Duplicated: {what}.", "已复制：{what}。"),
    "moved": Words("Moved: now {what}.", "已移动：现为{what}。"),
    "at_border": Words("It can go no further.", "无法再移动。"),
    "undone": Words("Undone.", "已撤销。"),
    "redone": Words("Redone.", "已重做。"),
}


def describe(catalogue: Catalogue, language: str) -> dict[str, Any]:
    """What the editor of trees needs; texts in the language of that code."""

    def say(words: Words) -> str:
        return words.in_language(language)

    described: dict[str, Any] = {
        "fields": [field_described(field, language) for field in catalogue.fields],
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
        "short_windows": [[TODAY, say(THAT_DAY)]],
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


def field_described(field: Field, language: str) -> dict[str, Any]:
    """A field as the editor knows it."""
    return {
        "name": field.name,
        "label": field.label.in_language(language),
        "group": GROUPS[field.name.partition(".")[0]].in_language(language),
        "type": field.type.value,
        "windowed": field.windowed,
        "is_short": field.is_short,
        "is_open": bool(field.others),
        "is_defined": field.is_defined,
        "choices": [[code, words.in_language(language)] for code, words in field.choices],
    }
