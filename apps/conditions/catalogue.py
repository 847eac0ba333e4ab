"""Catalogues: the fields a condition may ask about in one context, with their types and their words.

A catalogue is made of parts that rooms contribute: activity tells of events and lines, members of members. The names
of fields come from here and from nowhere else, so a tree can read nothing that a catalogue does not offer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from apps.conditions.types import Type
from apps.conditions.words import Words

LONGEST_KEY = 60


@dataclass(frozen=True, slots=True)
class Field:
    """Something to ask about. `read` is the attribute path on the subject, such as `event.amount`."""

    name: str
    type: Type
    label: Words
    read: str
    choices: tuple[tuple[str, Words], ...] = ()
    is_closed: bool = False
    """Whether its choices are all that may be asked for, also where there are none."""
    others: str = ""
    """A pattern of values that may be asked for besides the choices."""
    key: str | None = None
    """The key of a free attribute; None for a field of its own."""
    is_defined: bool = False
    """A free attribute whose type, label and choices are known. It is read as a free one is, by the operator and the value
    it is compared with, so that a condition goes on meaning the same when nobody knows them any more; they say what may be
    asked, and how it is called."""
    clauses: Mapping[str, Words] = field(default_factory=dict)
    """Clauses that read otherwise than of other fields: by operator, operator and value such as `eq 0`, or
    operator and `one` for a list of one value."""
    windowed: bool = False
    """Asked over a window of days: what is read is a mapping by window."""
    is_short: bool = False
    """Its windows are short: minutes, or today."""
    gathered: str = ""
    """Of history: the SQL aggregate over the rows of a member's days."""
    source: str = ""
    """Of history: whose rows these are; those of the member's days where nothing is said."""
    sql: str = ""
    """Of a member, where it is no column of theirs: SQL over their columns and the day asked about, `as_of`."""


@dataclass(frozen=True, slots=True)
class Family:
    """Free attributes: `prefix` + `.colour` reads the key `colour` of the mapping at `read`."""

    prefix: str
    label: Words
    read: str


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of an event: where they are, what each offers, and what can be summed."""

    read: str
    fields: tuple[Field, ...]
    sums: tuple[str, ...]


@dataclass(frozen=True)
class Catalogue:
    """Fields by name. `subjects` are the parameters of a compiled condition, in order."""

    subjects: tuple[str, ...]
    fields: tuple[Field, ...] = ()
    families: tuple[Family, ...] = ()
    lines: Lines | None = None
    _by_name: dict[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {known.name: known for known in self.fields})

    def field(self, name: str) -> Field | None:
        """The field called `name`, a free attribute included; None when there is none."""
        known = self._by_name.get(name)
        if known is not None:
            return known
        for family in self.families:
            key = name.removeprefix(family.prefix + ".")
            if key != name and 0 < len(key) <= LONGEST_KEY and key.isprintable():
                words = Words(f"{family.label.en} “{key}”", f"{family.label.zh}“{key}”")
                return Field(name, Type.ANY, words, family.read, key=key)
        return None

    def extend(
        self, fields: Iterable[Field] = (), families: Iterable[Family] = (), lines: Lines | None = None
    ) -> "Catalogue":
        """A catalogue that also offers these."""
        return replace(
            self,
            fields=(*self.fields, *fields),
            families=(*self.families, *families),
            lines=lines or self.lines,
        )

    def closed(self, name: str, choices: Iterable[tuple[str, Words]]) -> "Catalogue":
        """A catalogue in which the field of that name knows these values and no others."""
        offered = tuple(choices)
        fields = (replace(f, choices=offered, is_closed=True) if f.name == name else f for f in self.fields)
        return replace(self, fields=tuple(fields))

    def of_lines(self) -> "Catalogue":
        """The catalogue of one line, for conditions on which lines count."""
        return Catalogue(subjects=("line",), fields=self.lines.fields if self.lines else ())
