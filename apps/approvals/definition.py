"""What a policy says: the one shape of its `definition`, and the one place where it is checked.

    {"bands": [{"name": "Large", "when": tree, "why": "More than 5,000 points cost real money.",
                "steps": [{"parties": [{"who": {"kind": "role", "role": "finance"}, "need": "any" | "all" | 2}, …],
                           "hours": 8 or null, "remind": 4 or null, "escalate": [who, …]}, …]}, …],
     "otherwise": "at_once" | "refused"}

who: {"kind": "role", "role": "finance"}          held on the subject's unit, or on the nearest above where it is held
     {"kind": "person", "person": "w.chen"}       by the name they sign in with
     {"kind": "manager"}                          the requester's own

The first band whose condition holds decides; one without steps lets the request through at once. The parties of a step
all have to say yes, in any order; steps follow each other. Hours are working hours of the request's unit.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from apps.approvals.catalogue import catalogue_of
from apps.conditions.tree import ConditionError, Fault, Path, parse, to_json
from apps.conditions.words import Words
from apps.orgs.models import Persona

MOST_BANDS = 20
MOST_STEPS = 8
MOST_PARTIES = 6
MOST_HOURS = 2_000
MOST_NEEDED = 20

NAME_NEEDED = Words("Give it a name.", "请填写名称。")
NAME_TAKEN = Words("Another band has this name.", "已有同名的档。")
WHO_NEEDED = Words("Say who decides.", "请说明由谁审批。")
UNKNOWN_PERSON = Words("Nobody signs in with this name.", "没有以此名登录的人员。")
UNKNOWN_ROLE = Words("There is no such role.", "没有这个角色。")
HOURS_RANGE = Words("Expected a whole number of hours from 1 to 2,000.", "应为 1 到 2,000 之间的整小时数。")
NEED_RANGE = Words("Expected any, all, or a whole number from 1 to 20.", "应为任一人、全部，或 1 到 20 之间的人数。")
REMIND_LATE = Words("Remind before the deadline.", "提醒应早于截止时间。")
ESCALATE_NEVER = Words("Without a deadline nothing escalates.", "没有截止时间就不会升级。")
TOO_MANY = Words("There are more of these than are possible here.", "此处数量过多。")
WRONG_FORM = Words("This is not written in the form that is asked for.", "此处的写法不符合要求。")
MANAGERS_COUNT = Words("The requester has one manager.", "申请人只有一位上级。")


def _wrong(code: str, words: Words) -> PydanticCustomError:
    return PydanticCustomError(code, "{en}", {"en": words.en, "zh": words.zh})


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 80 or not value.isprintable():
        raise _wrong("missing", NAME_NEEDED)
    return value.strip()


def _hours(value: Any) -> int | None:
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not str(value).isdecimal() or not 1 <= int(value) <= MOST_HOURS:
        raise _wrong("out_of_range", HOURS_RANGE)
    return int(value)


def _need(value: Any) -> Any:
    if value in ("any", "all"):
        return value
    if isinstance(value, bool) or not str(value).isdecimal() or not 1 <= int(value) <= MOST_NEEDED:
        raise _wrong("out_of_range", NEED_RANGE)
    return int(value)


def _role(value: Any) -> str:
    if value not in Persona.values:
        raise _wrong("not_a_choice", UNKNOWN_ROLE)
    return str(value)


def _person(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 150:
        raise _wrong("missing", WHO_NEEDED)
    return value.strip()


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OfRole(_Shape):
    kind: Literal["role"] = "role"
    role: Annotated[str, BeforeValidator(_role)]


class Named(_Shape):
    kind: Literal["person"] = "person"
    person: Annotated[str, BeforeValidator(_person)]


class ManagerOf(_Shape):
    kind: Literal["manager"] = "manager"


Who = Annotated[OfRole | Named | ManagerOf, Field(discriminator="kind")]


class Party(_Shape):
    """Some people, and how many of them must say yes."""

    who: Who
    need: Annotated[Literal["any", "all"] | int, BeforeValidator(_need)] = "any"

    @model_validator(mode="after")
    def _possible(self) -> "Party":
        if not isinstance(self.who, OfRole) and isinstance(self.need, int) and self.need > 1:
            raise _wrong("out_of_range", MANAGERS_COUNT)
        return self

    @property
    def least(self) -> int:
        """How many people at least must say yes."""
        return self.need if isinstance(self.need, int) else 1


class Step(_Shape):
    parties: Annotated[tuple[Party, ...], Field(min_length=1, max_length=MOST_PARTIES)]
    hours: Annotated[int | None, BeforeValidator(_hours)] = None
    remind: Annotated[int | None, BeforeValidator(_hours)] = None
    escalate: Annotated[tuple[Who, ...], Field(max_length=MOST_PARTIES)] = ()

    @model_validator(mode="after")
    def _in_time(self) -> "Step":
        if self.hours and self.remind and self.remind >= self.hours:
            raise _wrong("remind_late", REMIND_LATE)
        if self.escalate and not self.hours:
            raise _wrong("escalate_never", ESCALATE_NEVER)
        return self

    @property
    def least(self) -> int:
        return sum(party.least for party in self.parties)


class Band(_Shape):
    """A condition on the request, and the steps of those that meet it."""

    name: Annotated[str, BeforeValidator(_text)]
    when: dict[str, Any]
    why: Annotated[str, Field(max_length=500)] = ""
    steps: Annotated[tuple[Step, ...], Field(max_length=MOST_STEPS)] = ()

    @property
    def length(self) -> int:
        """How long the road is: how many people must say yes."""
        return sum(step.least for step in self.steps)


class Definition(_Shape):
    bands: Annotated[tuple[Band, ...], Field(max_length=MOST_BANDS)] = ()
    otherwise: Literal["at_once", "refused"] = "at_once"

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class Faulty(ValueError):
    """A definition that cannot be saved; every fault at once."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{'/'.join(map(str, fault.path))}: {fault.code}" for fault in faults[:5]))
        self.faults = tuple(faults)


def check_definition(kind: str, data: Any, *, units: Mapping[str, str], people: frozenset[str] | None) -> Definition:
    """The definition that `data` (decoded JSON) describes, for requests of `kind`. Raises Faulty.

    `units` are the paths of known org units by code, `people` the names that people sign in with; None leaves them
    unchecked.
    """
    faults: list[Fault] = []
    data = deepcopy(data)
    for number, band in enumerate(_bands_of(data)):
        try:
            band["when"] = to_json(parse(band.get("when"), catalogue_of(kind), units))
        except ConditionError as error:
            faults += [Fault(("bands", number, "when", *each.path), each.code, each.message) for each in error.faults]
    found = None
    try:
        found = Definition.model_validate(data)
    except ValidationError as error:
        faults += [fault for each in error.errors() if (fault := _fault(each)) and "when" not in fault.path]
    names = [band.name for band in found.bands] if found is not None else []
    taken = [number for number, name in enumerate(names) if name in names[:number]]
    faults += [Fault(("bands", number, "name"), "name_taken", NAME_TAKEN) for number in taken]
    if found is not None and people is not None:
        for path, who in named_people(found):
            if who.person not in people:
                faults.append(Fault(path, "unknown_person", UNKNOWN_PERSON))
    if faults or found is None:
        raise Faulty(faults)
    return found


def named_people(definition: Definition) -> Iterator[tuple[Path, Named]]:
    """Everybody whom the policy names, with the path to where it does."""
    for b, band in enumerate(definition.bands):
        for s, step in enumerate(band.steps):
            where = ("bands", b, "steps", s)
            for p, party in enumerate(step.parties):
                if isinstance(party.who, Named):
                    yield (*where, "parties", p, "who", "person"), party.who
            for e, who in enumerate(step.escalate):
                if isinstance(who, Named):
                    yield (*where, "escalate", e, "person"), who


def _bands_of(data: Any) -> list[dict[str, Any]]:
    bands = data.get("bands") if isinstance(data, dict) else None
    return [band for band in bands if isinstance(band, dict)] if isinstance(bands, list) else []


def _fault(error: Any) -> Fault | None:
    """None for what only follows from another fault: a list whose parts are all at fault counts as empty."""
    if error["type"] == "too_short" and error["input"]:
        return None
    path = tuple(part for part in error["loc"] if part not in ("role", "person", "manager") or error["loc"][-1] == part)
    context = error.get("ctx") or {}
    if "zh" in context:
        return Fault(path, error["type"], Words(context["en"], context["zh"]))
    kind = error["type"]
    words = (
        TOO_MANY if kind == "too_long" else WHO_NEEDED if kind in ("too_short", "union_tag_not_found") else WRONG_FORM
    )
    return Fault(path, kind, words)
