"""What conditions may ask about a member."""

from collections.abc import Iterable

from apps.conditions.catalogue import Family, Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.members.models import AttributeDefinition

_THIS_YEAR = "make_date(extract(year FROM as_of)::int, birth_day / 100, 1) + (mod(birth_day, 100) - 1)"
"""The birthday in the year of the day asked about: of 29 February, 1 March where there is none. As in `facts.Birthday`."""
_NEXT_YEAR = _THIS_YEAR.replace("as_of)::int", "as_of)::int + 1")
AGE = f"""nullif(greatest(extract(year FROM as_of)::int - birth_year - ({_THIS_YEAR} > as_of)::int, -1), -1)"""
DAYS_AHEAD = f"(CASE WHEN {_THIS_YEAR} >= as_of THEN {_THIS_YEAR} ELSE {_NEXT_YEAR} END - as_of)"
IS_THIS_MONTH = f"(extract(month FROM {_THIS_YEAR}) = extract(month FROM as_of))"


def _of_joining(sql: str) -> str:
    """The same of the day of joining."""
    born = (
        "(extract(month FROM joined_on)::int * 100 + extract(day FROM joined_on)::int)",
        "extract(year FROM joined_on)::int",
    )
    return sql.replace("birth_day", born[0]).replace("birth_year", born[1])


UNKNOWN = (
    Words("the member's birthday is known", "会员生日已知"),
    Words("the member's birthday is not known", "会员生日未知"),
)
MEMBER_FIELDS = (
    Field("member.home_unit", Type.UNIT, Words("the member's home unit", "会员所属单位"), "member.home_path"),
    Field("member.joined_on", Type.DATE, Words("the joining date", "入会日期"), "member.joined_on"),
    Field("member.tags", Type.TAGS, Words("the member's tags", "会员的标签"), "member.tags",
          clauses={"has_any": Words("the member has one of the tags {value}", "会员有标签{value}之一"),
                   "has_any one": Words("the member has the tag {value}", "会员有标签{value}"),
                   "has_all": Words("the member has the tags {value}", "会员同时有标签{value}"),
                   "has_all one": Words("the member has the tag {value}", "会员有标签{value}"),
                   "has_none": Words("the member has none of the tags {value}", "会员没有标签{value}中的任何一个"),
                   "has_none one": Words("the member does not have the tag {value}", "会员没有标签{value}"),
                   "is_set": Words("the member has a tag", "会员有标签"),
                   "is_not_set": Words("the member has no tag", "会员没有标签")}),
    Field("member.was_brought", Type.BOOLEAN, Words("the member was brought by another member", "会员由好友推荐入会"), "member.was_brought",
          clauses={"is_true": Words("the member was brought by another member", "会员由好友推荐入会"),
                   "is_false": Words("the member was brought by nobody", "会员不是由好友推荐入会")}),
    Field("member.years", Type.INTEGER, Words("the number of years as a member", "入会年数"), "member.joining.age",
          sql=_of_joining(AGE)),
    Field("member.days_to_anniversary", Type.INTEGER,
          Words("the number of days until the anniversary of joining", "距入会周年日的天数"), "member.joining.days_ahead",
          sql=_of_joining(DAYS_AHEAD),
          clauses={"eq 0": Words("it is the anniversary of joining", "当天是入会周年日"),
                   "le": Words("the anniversary of joining is at most {value} days ahead", "入会周年日在{value}天之内（含当天）")}),
    Field("member.age", Type.INTEGER, Words("the member's age", "会员年龄"), "member.birthday.age", sql=AGE),
    Field("member.days_to_birthday", Type.INTEGER, Words("the number of days until the member's birthday", "距会员生日的天数"),
          "member.birthday.days_ahead", sql=DAYS_AHEAD,
          clauses={"eq 0": Words("it is the member's birthday", "当天是会员生日"),
                   "le": Words("the member's birthday is at most {value} days ahead", "会员生日在{value}天之内（含当天）"),
                   "is_set": UNKNOWN[0], "is_not_set": UNKNOWN[1]}),
    Field("member.birthday_month", Type.BOOLEAN, Words("the member's birthday is this month", "会员生日在本月"),
          "member.birthday.is_this_month", sql=IS_THIS_MONTH,
          clauses={"is_true": Words("the member's birthday is this month", "会员生日在本月"),
                   "is_false": Words("the member's birthday is in another month", "会员生日不在本月"),
                   "is_set": UNKNOWN[0], "is_not_set": UNKNOWN[1]}),
)  # fmt: skip
"""Age, birthday and anniversary are asked about on a local day: the event's, or that on which all members are asked about."""
ATTRIBUTES = "member.attributes"
MEMBER_FAMILIES = (Family(ATTRIBUTES, Words("the member's", "会员的"), ATTRIBUTES),)
TYPES = {
    AttributeDefinition.Type.TEXT: Type.TEXT,
    AttributeDefinition.Type.INTEGER: Type.INTEGER,
    AttributeDefinition.Type.DECIMAL: Type.NUMBER,
    AttributeDefinition.Type.DATE: Type.DATE,
    AttributeDefinition.Type.BOOLEAN: Type.BOOLEAN,
    AttributeDefinition.Type.CHOICE: Type.CHOICE,
    AttributeDefinition.Type.CHOICES: Type.TAGS,
}


def attribute_fields(definitions: Iterable[AttributeDefinition]) -> tuple[Field, ...]:
    """What conditions may ask about attributes that are defined: each of its type, by its label, with its choices only."""
    return tuple(
        Field(
            f"{ATTRIBUTES}.{each.key}",
            TYPES[AttributeDefinition.Type(each.type)],
            Words(f"the member's “{each.words.en}”", f"会员的“{each.words.zh}”"),
            ATTRIBUTES,
            choices=tuple((option.value, option.words) for option in each.options),
            is_closed=bool(each.options),
            key=each.key,
            is_defined=True,
        )
        for each in definitions
    )
