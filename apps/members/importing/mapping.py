"""What the columns of a file mean: a document that a person edits, remembered per source.

A column's `target` is one of

    identifier:KIND   name   birth_on   joined_on   store   attribute:KEY   and what `parts` of rooms above take,

or empty for a column that is not read. `values` says what a text of the file means: a store's code, an attribute's
value. Texts it does not know are taken as they stand, unless the target itself refuses them.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field

from apps.core.errors import LoyaltyError
from apps.members.identifiers import is_kind
from apps.members.importing.parts import parts

ONCE = ("name", "birth_on", "joined_on", "store")
MOST_VALUES = 2_000
_Text = Annotated[str, Field(max_length=200)]

# What columns are called in the exports of card systems, ours included: lower case, without blanks.
_CALLED: dict[str, tuple[str, ...]] = {
    "identifier:card": (
        "会员卡号", "卡号", "会员号", "会员编号", "card", "cardno", "cardnumber", "membercard", "memberno", "membernumber",
        "memberid", "loyaltycard",
    ),
    "identifier:phone": (
        "手机号", "手机", "手机号码", "电话", "联系电话", "移动电话", "phone", "phonenumber", "mobile", "mobilephone", "cell", "tel",
    ),
    "identifier:email": ("邮箱", "电子邮箱", "电子邮件", "email", "emailaddress", "mail"),
    "identifier:wechat": ("openid", "微信openid", "wechatopenid", "unionid"),
    "name": ("姓名", "会员姓名", "名字", "客户姓名", "name", "fullname", "membername", "customername"),
    "birth_on": ("生日", "出生日期", "出生年月日", "会员生日", "birthday", "birthdate", "dateofbirth", "dob"),
    "joined_on": (
        "入会日期", "入会时间", "注册日期", "注册时间", "开卡日期", "办卡日期", "joined", "joinedon", "joindate", "joiningdate",
        "enrolled", "enrolledon", "registrationdate", "membersince",
    ),
    "store": ("入会门店", "开卡门店", "所属门店", "门店", "门店编号", "门店代码", "注册门店", "store", "storecode", "homestore", "shop", "homeunit"),
    "attribute:gender": ("性别", "gender", "sex"),
    "attribute:legacy_level": ("会员等级", "等级", "会员级别", "级别", "卡类型", "卡等级", "level", "tier", "grade", "memberlevel", "membertier"),
    "attribute:remark": ("备注", "说明", "remark", "remarks", "note", "notes", "comment"),
}  # fmt: skip
_MEANT: dict[str, dict[str, tuple[str, ...]]] = {
    "attribute:gender": {
        "男": ("男", "男性", "m", "male", "1", "先生"),
        "女": ("女", "女性", "f", "female", "2", "女士"),
    }
}


class MappingRefused(LoyaltyError):
    """A mapping that cannot read a file; `reason` is one of the keys below."""

    code = "mapping_refused"
    field = "mapping"

    def sentence(self) -> str:
        return {
            "no_identifier": _("No column names the members: choose the one that holds the card, the phone number or another identifier."),
            "unknown_target": _("The column %(column)s is read as %(target)s, which does not exist."),
            "twice": _("%(target)s is read from more than one column."),
            "unknown_column": _("The file has no column %(column)s."),
            "unknown_store": _("There is no store %(store)s in this programme."),
        }[self.data["reason"]] % self.data  # fmt: skip


LEVEL = "legacy_level"
"""The attribute that keeps the level which members had in the old system."""


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Document):
    """One column of the file; `is_required` refuses the rows in which it says nothing."""

    name: _Text
    target: _Text = ""
    is_required: bool = False
    values: Annotated[dict[_Text, _Text], Field(max_length=MOST_VALUES)] = {}


class ColumnMapping(_Document):
    """All columns; by which kinds of identifier members are recognised, in order; what is assumed where a row is silent.

    `home` is the code of the unit of rows without a store (empty: the programme's own); `mobiles_only` takes phone
    numbers without a country's code for Chinese mobiles, and refuses those that are none; `parts` holds what rooms
    above want to know, by their codes.
    """

    columns: Annotated[tuple[Column, ...], Field(max_length=200)] = ()
    match: Annotated[tuple[_Text, ...], Field(max_length=10)] = ("card", "phone", "email")
    home: _Text = ""
    mobiles_only: bool = True
    parts: dict[str, dict[str, Any]] = {}

    def reading(self, target: str) -> Column | None:
        """The column that is read as `target`."""
        return next((column for column in self.columns if column.target == target), None)

    @property
    def identifiers(self) -> dict[str, Column]:
        """By kind, those by which members are recognised first."""
        found = {c.target.partition(":")[2]: c for c in self.columns if c.target.startswith("identifier:")}
        order = {kind: place for place, kind in enumerate(self.match)}
        return dict(sorted(found.items(), key=lambda each: order.get(each[0], len(order))))

    @property
    def attributes(self) -> dict[str, Column]:
        """By key."""
        return {c.target.partition(":")[2]: c for c in self.columns if c.target.startswith("attribute:")}


def check(mapping: ColumnMapping, columns: Iterable[str]) -> None:
    """Raises MappingRefused where `mapping` cannot read a file of these columns."""
    known = set(columns)
    taken: set[str] = set()
    for column in mapping.columns:
        if not column.target:
            continue
        if column.name not in known:
            raise MappingRefused(reason="unknown_column", column=column.name)
        if not is_target(column.target):
            raise MappingRefused(reason="unknown_target", column=column.name, target=column.target)
        if column.target in taken:
            raise MappingRefused(reason="twice", target=column.target)
        taken.add(column.target)
    if not mapping.identifiers:
        raise MappingRefused(reason="no_identifier")


def is_target(target: str) -> bool:
    head, _colon, tail = target.partition(":")
    if head == "identifier":
        return is_kind(tail)
    if head == "attribute":
        return 0 < len(tail) <= 60 and tail.isprintable()
    return target in ONCE or any(part.takes(target) for part in parts())


def suggested(columns: Iterable[str], program: Any, remembered: ColumnMapping | None = None) -> ColumnMapping:
    """A mapping for a file of these columns: what was chosen before for columns of the same name, else what their names
    say; each target once."""
    before = {column.name: column for column in remembered.columns} if remembered else {}
    taken = {column.target for name in columns if (column := before.get(name)) is not None}
    chosen: list[Column] = []
    for name in columns:
        if name in before:
            chosen.append(before[name])
            continue
        target = "" if name.startswith("#") else _called(name, program)
        if target in taken:
            target = ""
        taken.add(target)
        chosen.append(
            Column(
                name=name,
                target=target,
                is_required=target in ("identifier:card", "identifier:phone"),
                values=_meant(target),
            )
        )
    if not any(column.is_required for column in chosen):
        first = next((c for c in chosen if c.target.startswith("identifier:")), None)
        chosen = [c.model_copy(update={"is_required": True}) if c is first else c for c in chosen]
    base = remembered or ColumnMapping()
    return base.model_copy(update={"columns": tuple(chosen)})


def _called(name: str, program: Any) -> str:
    wanted = re.sub(r"[\s_\-.:：()（）]+", "", unicodedata.normalize("NFKC", name).lower())
    found = next((target for target, names in _CALLED.items() if wanted in names), "")
    return found or next((target for part in parts() if (target := part.called(wanted, program))), "")


def _meant(target: str) -> dict[str, str]:
    return {text: value for value, texts in _MEANT.get(target, {}).items() for text in texts}


def meaning_of(column: Column) -> Mapping[str, str]:
    """Its value map, by texts as they are compared: case and width do not matter."""
    return {compared(text): value for text, value in column.values.items()}


def compared(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()
