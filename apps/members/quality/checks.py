"""What a rule asks, as conditions on rows: of members, or of the rows of a file before they are members. Pure.

Personal data is encrypted. What can be asked is what stands beside it: that it is there, the day and year of a birthday, the
first letter of a name, and, through the keyed hash, whether an identifier is one that people type to get past a form.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import ContainedBy, KeyTextTransform, KeyTransform
from django.db.models.lookups import In, Regex

from apps.conditions.words import Words
from apps.members.crypto import lookup_hash
from apps.members.models import AttributeDefinition, Identifier, RowIdentifier
from apps.members.quality.models import QualityRule
from apps.orgs.models import OrgUnit

Check = QualityRule.Check
ATTRIBUTE = "attributes:"
YOUNGEST, OLDEST = 10, 110
EARLIEST_JOINING = date(1980, 1, 1)
NOT_BIRTHDAYS = ((1900, 101), (1970, 101))
"""Years and days that systems write where they know none."""
NOT_IDENTIFIERS = {
    "phone": (
        "13800000000", "13800138000", "13888888888", "13900000000", "13999999999", "13000000000", "13111111111",
        "13333333333", "13666666666", "15000000000", "15888888888", "18000000000", "18888888888", "18666666666",
        "19999999999",
    ),
    "email": ("a@a.com", "test@test.com", "test@example.com", "no@no.com", "none@none.com", "noemail@example.com"),
    "card": ("0", "00000000", "0000000000", "12345678", "1234567890", "88888888", "99999999", "9999999999"),
}  # fmt: skip
"""What people type where they have none."""
KINDS = ("phone", "email", "card")
FIELDS: dict[str, tuple[Words, tuple[Check, ...]]] = {
    "name": (Words("Name", "姓名"), (Check.PRESENT, Check.PLAUSIBLE)),
    "phone": (Words("Phone", "手机号"), (Check.PRESENT, Check.PLAUSIBLE, Check.VERIFIED)),
    "email": (Words("E-mail", "邮箱"), (Check.PRESENT, Check.PLAUSIBLE, Check.VERIFIED)),
    "card": (Words("Card", "会员卡"), (Check.PRESENT, Check.PLAUSIBLE, Check.VERIFIED)),
    "identifier": (Words("Any identifier", "任一标识"), (Check.PRESENT, Check.VERIFIED)),
    "birthday": (Words("Birthday", "生日"), (Check.PRESENT, Check.PLAUSIBLE)),
    "home_unit": (Words("Home store", "所属门店"), (Check.ALLOWED,)),
    "joined_on": (Words("Day of joining", "入会日期"), (Check.PLAUSIBLE,)),
}
OF_ATTRIBUTES = (Check.PRESENT, Check.ALLOWED)
SENTENCES: dict[tuple[str, str], Words] = {
    ("name", "present"): Words("The name is known.", "姓名已填写。"),
    ("name", "plausible"): Words("The name begins with a letter.", "姓名以文字开头。"),
    ("identifier", "present"): Words("Something names the member.", "会员至少有一个标识。"),
    ("identifier", "verified"): Words("Something that names the member is verified.", "会员至少有一个标识已验证。"),
    ("birthday", "present"): Words("The birthday is known.", "生日已填写。"),
    ("birthday", "plausible"): Words(
        "A birthday that is known is plausible: an age from 10 to 110, and no date that stands for none.",
        "已填写的生日可信：年龄在 10 至 110 岁之间，且不是占位日期。",
    ),
    ("home_unit", "allowed"): Words("The home unit is a store that is open.", "所属单位是营业中的门店。"),
    ("joined_on", "plausible"): Words(
        "The day of joining is not in the future, nor before 1980.", "入会日期不在将来，也不早于 1980 年。"
    ),
}
BY_CHECK: dict[str, Words] = {
    "present": Words("{field} is filled in.", "{field}已填写。"),
    "plausible": Words("{field} that is known is none that stands for nothing.", "已填写的{field}不是占位号码。"),
    "allowed": Words("{field} that is filled in has an allowed value.", "已填写的{field}是允许的值。"),
    "verified": Words("{field} that is known is verified.", "已填写的{field}已验证。"),
}


@dataclass(frozen=True)
class Rows:
    """What is judged: `named` finds what names the row at hand, `unit` leads to its home unit."""

    named: Callable[[], "QuerySet[Any]"]
    unit: str
    has_verified: bool


MEMBERS = Rows(lambda: Identifier.objects.filter(member=OuterRef("pk")), "home_unit", True)
FILE_ROWS = Rows(lambda: RowIdentifier.objects.filter(job=OuterRef("job"), number=OuterRef("number")), "unit", False)


@dataclass(frozen=True)
class Question:
    """Which rows a rule judges, and which of these are at fault."""

    judged: Q
    fault: Q

    @property
    def at_fault(self) -> Q:
        return self.judged & self.fault


def checks_of(field: str) -> tuple[Check, ...]:
    """What can be asked about a field; nothing of one that there is not."""
    if field.startswith(ATTRIBUTE):
        return OF_ATTRIBUTES
    return FIELDS[field][1] if field in FIELDS else ()


def field_words(field: str, definitions: Sequence[AttributeDefinition]) -> Words:
    """What a field is called; an attribute by its first definition, or by its key where there is none any more."""
    if not field.startswith(ATTRIBUTE):
        return FIELDS[field][0] if field in FIELDS else Words(field, field)
    key = field.removeprefix(ATTRIBUTE)
    return next((each.words for each in definitions if each.key == key), Words(key, key))


def sentence_of(field: str, check: str, definitions: Sequence[AttributeDefinition]) -> Words:
    """What a rule asks, in a sentence."""
    return SENTENCES.get((field, check)) or BY_CHECK[check].format(field=field_words(field, definitions))


def question(
    field: str, check: str, today: date, definitions: Sequence[AttributeDefinition], rows: Rows = MEMBERS
) -> Question:
    """What the rule asks of `rows` on the local day `today`; `definitions` are the attributes that these may have."""
    if field.startswith(ATTRIBUTE):
        return _of_attribute(field.removeprefix(ATTRIBUTE), check, definitions, rows)
    if field in (*KINDS, "identifier"):
        return _of_identifier(field, check, rows)
    return {
        "name": lambda: _of_name(check), "birthday": lambda: _of_birthday(check, today),
        "home_unit": lambda: Question(Q(), ~Q(**{f"{rows.unit}__kind": OrgUnit.Kind.STORE, f"{rows.unit}__is_active": True})),
        "joined_on": lambda: Question(Q(joined_on__isnull=False), Q(joined_on__gt=today) | Q(joined_on__lt=EARLIEST_JOINING)),
    }[field]()  # fmt: skip


def _of_name(check: str) -> Question:
    if check == Check.PRESENT:
        return Question(Q(), Q(masked_name=""))
    return Question(~Q(masked_name=""), ~Q(masked_name__regex="^[[:alpha:]]"))


def _of_birthday(check: str, today: date) -> Question:
    if check == Check.PRESENT:
        return Question(Q(), Q(birth_day__isnull=True))
    born, day = today.year, today.month * 100 + today.day
    too_young = Q(birth_year__gt=born - YOUNGEST) | Q(birth_year=born - YOUNGEST, birth_day__gt=day)
    too_old = Q(birth_year__lt=born - OLDEST - 1) | Q(birth_year=born - OLDEST - 1, birth_day__lte=day)
    none = Q(pk__in=())
    for year, at in NOT_BIRTHDAYS:
        none |= Q(birth_year=year, birth_day=at)
    return Question(Q(birth_year__isnull=False, birth_day__isnull=False), too_young | too_old | none)


def _of_identifier(field: str, check: str, rows: Rows) -> Question:
    named = rows.named() if field == "identifier" else rows.named().filter(kind=field)
    if check == Check.PRESENT:
        return Question(Q(), ~Q(Exists(named)))
    if check == Check.PLAUSIBLE:
        nobody = [lookup_hash(field, value) for value in NOT_IDENTIFIERS[field]]
        return Question(Q(Exists(named)), Q(Exists(named.filter(value_hash__in=nobody))))
    # What a file brings was verified by nobody yet.
    verified = Q(Exists(named.filter(verified_at__isnull=False))) if rows.has_verified else Q(pk__in=())
    return Question(Q(Exists(named)), ~verified)


def _of_attribute(key: str, check: str, definitions: Sequence[AttributeDefinition], rows: Rows) -> Question:
    """Members of a company in which the attribute is not defined are not judged."""
    judged, allowed = Q(pk__in=()), Q(pk__in=())
    for each in definitions:
        if each.key == key:
            here = Q(**{f"{rows.unit}__path__startswith": each.unit.path})
            judged |= here
            allowed |= here & _allows(each)
    has_it = Q(attributes__has_key=key)
    return Question(judged, ~has_it) if check == Check.PRESENT else Question(judged & has_it, ~allowed)


SHAPES = {
    AttributeDefinition.Type.INTEGER: r"^-?[0-9]+$", AttributeDefinition.Type.DECIMAL: r"^-?[0-9]+(\.[0-9]+)?$",
    AttributeDefinition.Type.DATE: r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", AttributeDefinition.Type.BOOLEAN: "^(true|false)$",
}  # fmt: skip


def _allows(definition: AttributeDefinition) -> Q:
    """The value is one that the definition knows; of numbers and dates, that it reads as one."""
    text = KeyTextTransform(definition.key, "attributes")
    options = [each.value for each in definition.options]
    match definition.type:
        case AttributeDefinition.Type.CHOICE:
            return Q(In(text, options)) if options else Q(pk__in=())
        case AttributeDefinition.Type.CHOICES:
            return Q(ContainedBy(KeyTransform(definition.key, "attributes"), options))
        case AttributeDefinition.Type.TEXT:
            return Q()
    return Q(Regex(text, SHAPES[AttributeDefinition.Type(definition.type)]))
