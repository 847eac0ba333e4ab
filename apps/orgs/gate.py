"""The gate: what somebody does by hand to points, rules or rights passes here, and a policy may hold it there.

A thing that can be asked for is a `Subject`: one class, in the room that carries it out, registered with `register`.
The verb that does it begins with `pass_gate`, whichever door it was called through: it goes on when the actor's roles
allow it and no policy wants anybody else's yes, or when it is what an approved request carries out. Else it is refused
with `ApprovalNeeded`, and the door sends a request instead.

Which policies there are is decided in a higher room (`approvals`), which supplies the answer through `set_gatekeeper`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from json import dumps
from typing import Any, ClassVar, Protocol

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict

from apps.conditions.catalogue import Field
from apps.conditions.words import Words
from apps.core.errors import LoyaltyError
from apps.core.scope import reach_of, require
from apps.orgs.models import OrgUnit, Staff

Plain = str | int | bool | None
"""What an effect and a request keep: numbers with a fraction as text, instants as ISO 8601."""


class ApprovalNeeded(LoyaltyError):
    """A policy wants somebody else's yes first; `path` says whose, in words."""

    code = "approval_needed"

    def sentence(self) -> str:
        return _("This needs approval first: %(path)s. Send it as a request.") % self.data


class SubjectGone(LoyaltyError):
    """What the request is about is not there any more, or not any more as it was."""

    code = "subject_gone"

    def sentence(self) -> str:
        return _("What this request is about is not there any more.")


class RequesterMayNot(LoyaltyError):
    """Whoever asked has lost the right to, or what they asked about is not where they have it any more."""

    code = "requester_may_not"

    def sentence(self) -> str:
        return _("Whoever asked for this may not do it there any more.")


class NotWhatWasApproved(LoyaltyError):
    """An approval is for one thing alone."""

    code = "not_what_was_approved"

    def sentence(self) -> str:
        return _("This is not what was approved.")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that carrying out would change: `code` names it among the subject's `labels`.

    `shape` says how the two values read: `points`, `number`, `money` as in “CNY 12.5”, `day` and `moment` as ISO 8601,
    `text`, `words`, a code among the subject's `labels`, or `own`, of which the subject's `say` makes sentences. Equal
    values say what stays, and would be told to the approver if it changed meanwhile.
    """

    code: str
    before: Plain
    after: Plain
    shape: str = "text"


@dataclass(frozen=True, slots=True)
class Effect:
    """What carrying out would do now. `obstacle` is the sentence with which it would be refused now, if it would."""

    lines: tuple[Line, ...]
    obstacle: str = ""

    def to_json(self) -> list[list[Plain]]:
        return [[line.code, line.before, line.after, line.shape] for line in self.lines]

    @classmethod
    def from_json(cls, data: Iterable[Any]) -> "Effect":
        return cls(tuple(Line(*row) for row in data))

    def digest(self) -> str:
        """What tells two effects apart."""
        return digest_of(self.to_json())

    def differences(self, later: "Effect") -> list[tuple[Line | None, Line | None]]:
        """The lines that are no longer the same: as they were, as they are."""
        was, is_now = ({line.code: line for line in each.lines} for each in (self, later))
        codes = dict.fromkeys([*was, *is_now])
        return [(was.get(code), is_now.get(code)) for code in codes if was.get(code) != is_now.get(code)]


def digest_of(data: Any) -> str:
    """A hash of JSON, whatever the order of its keys."""
    return sha256(dumps(data, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Done:
    """What carrying out left behind: a sentence's slots, and where to see it."""

    told: Mapping[str, Plain] = field(default_factory=dict)
    result: Any = None


@dataclass(frozen=True)
class Approval:
    """The right to carry out one subject, once: made by the room of approvals alone, in the transaction of the last yes."""

    request_id: int
    subject: "Subject"
    requester: Staff | None
    reason: str

    @property
    def key(self) -> str:
        """The key under which the subject is carried out once."""
        return f"approval:{self.request_id}"


class Subject(BaseModel):
    """Something that can be asked for. Its fields are the whole of what will be done, as JSON.

    One class for each kind, in the room that carries it out:

    - `code`, for ever, and `label`; `icon` of Material Symbols.
    - `permission`: what the requester must hold on the unit of `place()`; `view`: who may read such requests there.
    - `held_as`: another kind, whose policy holds it where it has none of its own; that kind asks about nothing more.
    - `fields`: what policies may ask about; names begin with `request.`, and `facts` gives their values.
    - `adds_up`: the fields that grow when one thing is asked for in several parts.
    - `labels`: words of the lines of its effect, and of the codes that stand in them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: ClassVar[str]
    label: ClassVar[Words]
    icon: ClassVar[str] = "task_alt"
    permission: ClassVar[str]
    view: ClassVar[str]
    held_as: ClassVar[str] = ""
    fields: ClassVar[tuple[Field, ...]] = ()
    adds_up: ClassVar[tuple[str, ...]] = ()
    labels: ClassVar[Mapping[str, Words]] = {}

    def place(self) -> OrgUnit:
        """The unit it belongs to. Raises SubjectGone."""
        raise NotImplementedError

    def about(self) -> str:
        """What it is about: requests about the same thing are counted together, and one thing is named by one text."""
        raise NotImplementedError

    def amount(self) -> int | None:
        """How much is asked for, its sign the direction; None where that makes no sense."""
        return None

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        """The values of `fields`, by name without `request.`; what is left out is not known. Raises SubjectGone."""
        return {}

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        """What carrying it out would do at `when`. A constant number of queries. Raises SubjectGone."""
        raise NotImplementedError

    def excluded(self) -> frozenset[int]:
        """Ids of people who may not decide on it, beside who asks, such as everybody who wrote it: kept when it is sent.
        A constant number of queries."""
        return frozenset()

    def require_ready(self, requester: Staff | None, also: Collection[Staff], when: datetime) -> None:
        """Called when it is sent, before anything is planned: locks what must not change meanwhile, and raises what
        refuses it now. `also` are those whom the requester asks besides."""

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        """Does it, through the verb that every door calls. Raises what that verb refuses with."""
        raise NotImplementedError

    def title(self) -> Words:
        """In one line, such as “+6,000 points for {about}”, where `ABOUT` stands for what the thing that it is about is
        called at the time of reading (`register_names`). Kept with its request when that is sent. Raises SubjectGone."""
        raise NotImplementedError

    @classmethod
    def say(cls, line: Line, language: str) -> list[str]:
        """A line of the shape `own` in whole sentences, which stand in the place of its two values."""
        return []

    def address(self) -> str:
        """The page of what it is about; empty where there is none."""
        return ""

    def form_address(self) -> str:
        """The page on which such a request is written; with `?request=ID` it opens a returned one. Empty where there
        is none."""
        return ""

    @classmethod
    def suggestions(cls, principal: Any) -> dict[str, list[str]]:
        """Values to offer where a policy asks about a field that is free text, by its name, as `principal` sees them."""
        return {}

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


_kinds: dict[str, type[Subject]] = {}


def register(*kinds: type[Subject]) -> None:
    """Adds kinds of subjects. Raises ValueError where a code is taken."""
    for kind in kinds:
        if _kinds.get(kind.code, kind) is not kind:
            raise ValueError(f"there is a kind of subject called {kind.code} already")
        _kinds[kind.code] = kind


def kinds() -> dict[str, type[Subject]]:
    """Every kind of subject by its code, in the order of registration, lower rooms first."""
    return dict(_kinds)


def kind_called(code: str) -> type[Subject]:
    """Raises SubjectGone where no room registers the kind any more."""
    kind = _kinds.get(code)
    if kind is None:
        raise SubjectGone()
    return kind


ABOUT = "{about}"
Names = Callable[[Collection[int]], Mapping[int, str]]
_names: dict[str, Names] = {}


def register_names(what: str, names: Names) -> None:
    """`names` tells what the things that are named `what:12` are called, as they may stand in anybody's list."""
    _names[what] = names


def in_one_line(titles: Mapping[int, tuple[Words, str]], language: str) -> dict[int, str]:
    """Titles as they are read, each given with what it is about. One query for each sort of thing that has names."""
    said = {key: words.in_language(language) for key, (words, _about) in titles.items()}
    for what, names in _names.items():
        wanted = {
            key: int(about.removeprefix(f"{what}:"))
            for key, (_words, about) in titles.items()
            if ABOUT in said[key] and about.startswith(f"{what}:")
        }
        called = names(set(wanted.values())) if wanted else {}
        said |= {key: said[key].replace(ABOUT, called.get(pk, f"#{pk}")) for key, pk in wanted.items()}
    return said


class Gatekeeper(Protocol):
    def __call__(self, subject: Subject, actor: Staff | None, reason: str, when: datetime) -> None:
        """Returns where no policy wants another's yes, and keeps that it was done. Raises ApprovalNeeded."""


_gatekeeper: list[Gatekeeper] = []


def set_gatekeeper(gatekeeper: Gatekeeper) -> None:
    """Called once, by the room that keeps the policies."""
    _gatekeeper[:] = [gatekeeper]


def _may(person: Staff, subject: Subject) -> bool:
    return reach_of(person, subject.permission).covers(subject.place().path)


def pass_gate(subject: Subject, actor: Any, approval: Approval | None, when: datetime, *, reason: str = "") -> None:
    """The head of every verb that a policy can hold, inside its transaction and before it locks anything.

    Raises NotAllowed, ApprovalNeeded, SubjectGone; NotWhatWasApproved where `approval` is for something else, and
    RequesterMayNot where who asked has lost the right since.
    """
    if approval is not None:
        if approval.subject != subject:
            raise NotWhatWasApproved()
        if approval.requester is not None and not _may(approval.requester, subject):
            raise RequesterMayNot()
        return
    require(actor, subject.permission, subject.place().path)
    for gatekeeper in _gatekeeper:
        gatekeeper(subject, actor if isinstance(actor, Staff) else None, reason, when)
