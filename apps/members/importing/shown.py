"""What the page of a file shows: how many rows become what, the first of them, what is to be settled, whether totals
agree. Names and numbers of people are masked as everywhere."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.history import Change
from apps.members.attributes import value_of
from apps.members.changes import FieldChange
from apps.members.errors import AttributeRefused
from apps.members.importing import checking
from apps.members.importing.deciding import CHOICES, REFUSE
from apps.members.importing.mapping import LEVEL, Column, compared, meaning_of
from apps.members.importing.models import MemberImport, MemberRow, RowIdentifier
from apps.members.importing.parts import LABELS, Brought, parts
from apps.members.importing.taking import stated_totals
from apps.members.importing.targets import Meaning, meanings_of, stores_of
from apps.members.importing.words import finding_in_words
from apps.members.models import AttributeDefinition
from apps.members.querysets import definitions_for
from apps.members.words import change_in_words
from apps.orgs.models import OrgUnit, Program

MOST_ROWS = 50
State = MemberRow.State
TONES = {State.NEW: "good", State.QUESTION: "warn", State.REFUSED: "bad"}
BACK = {"gone", "restored", "stayed"}


@dataclass(frozen=True, slots=True)
class Tile:
    """How many rows are in a state."""

    state: str
    words: str
    number: int
    tone: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class RowShown:
    number: int
    words: str
    tone: str
    name: str
    named: str
    store: str
    joined_on: Any
    brings: str
    told: list[str]
    notes: list[str]
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Question:
    """Something to settle for `rows` rows at once; `choices` go from what is done most to refusing."""

    code: str
    value: str
    words: str
    rows: int
    choices: list[Meaning]


LEVELS = "levels:"


@dataclass(frozen=True, slots=True)
class Total:
    """A control total: what the sender states (None: nothing) and what the file holds."""

    words: str
    stated: int | None
    found: int

    @property
    def agrees(self) -> bool:
        return self.stated is None or self.stated == self.found


def _language() -> str:
    return get_language() or "en"


def tiles_of(job: MemberImport, chosen: str) -> list[Tile]:
    """Every state that has rows, and the five that matter in any case."""
    always = {State.NEW, State.CHANGED, State.SAME, State.QUESTION, State.REFUSED}
    return [
        Tile(state.value, str(state.label), job.counts.get(state, 0), TONES.get(state, ""), state.value == chosen)
        for state in State
        if state in always or job.counts.get(state, 0)
    ]


def first_rows(job: MemberImport, reader: Any, state: str, finding: str = "") -> tuple[list[RowShown], int]:
    """The first rows of a state, or those in which one thing was found, and how many there are. A constant number of
    queries."""
    rows = job.staged.filter(state=state)
    if finding:
        rows = rows.filter(findings__has_key=finding)
    page = list(rows.select_related("unit").order_by("number")[:MOST_ROWS])
    total = rows.count() if finding else job.counts.get(state, 0)
    masks: dict[int, list[str]] = defaultdict(list)
    named = RowIdentifier.objects.filter(job=job, number__in=[row.number for row in page]).order_by("pk")
    for number, masked in named.values_list("number", "masked"):
        masks[number].append(masked)
    readers = [part.in_row(job) for part in parts()]
    labels = _labels(job)
    changes = {row.pk: [FieldChange.model_validate(each) for each in row.changes] for row in page}
    moved = {
        text for made in changes.values() for each in made if each.field == "home_unit" for text in (each.old, each.new)
    }
    names = {str(unit.pk): unit.name for unit in OrgUnit.objects.visible_to(reader).filter(pk__in=filter(None, moved))}

    def unit_name(text: str) -> str:
        return names.get(text) or _("beyond your reach")

    shown = [
        RowShown(
            row.number, str(State(row.state).label), TONES.get(State(row.state), ""), row.masked_name,
            " · ".join(masks[row.number]), row.unit.name if row.unit else "", row.joined_on,
            " · ".join(filter(None, (told(row.amounts) for told in readers))),
            [finding_in_words(code, value, labels) for code, value in row.findings.items()],
            [finding_in_words(code) for code in row.notes],
            [change_in_words(each, unit_name) for each in changes[row.pk]],
        )
        for row in page
    ]  # fmt: skip
    return shown, total


def _labels(job: MemberImport) -> dict[str, str]:
    return {each.key: str(each) for each in definitions_for(job.program.unit)}


def questions_of(job: MemberImport) -> list[Question]:
    """What a person must settle, most rows first."""
    defined = {each.key: each for each in definitions_for(job.program.unit)}
    labels = {key: str(each) for key, each in defined.items()}
    asked = checking.questions(job)
    stores = stores_of(job.program) if any(code == "store_unknown" for code, _value, _rows in asked) else []
    return [
        Question(code, value, finding_in_words(code, value, labels), rows, _choices(code, defined, stores))
        for code, value, rows in asked
    ]


def _choices(code: str, defined: Any, stores: Sequence[Meaning]) -> list[Meaning]:
    head, _colon, key = code.partition(":")
    fixed = [Meaning(choice, words.in_language(_language())) for choice, words in CHOICES.get(head, {}).items()]
    more: list[Meaning] = []
    if head == "store_unknown":
        more = [
            Meaning(each.value, _("They belong to %(store)s") % {"store": each.words})
            for each in stores
            if each.value != REFUSE
        ]
    elif head == "value_unknown" and key in defined and defined[key].type == "choice":
        more = [
            Meaning(f"={each.value}", _("It means “%(value)s”") % {"value": each.words})
            for each in meanings_of(defined[key]) or ()
        ]
    return more + fixed


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided: the finding, and the choice in words."""

    code: str
    value: str
    words: str
    choice: str


def decisions_of(job: MemberImport) -> list[Decided]:
    defined = {each.key: each for each in definitions_for(job.program.unit)}
    labels = {key: str(each) for key, each in defined.items()}
    has_stores = any(code == "store_unknown" for code, _value, _choice in job.decisions)
    stores = stores_of(job.program) if has_stores else []

    def chosen(code: str, choice: str) -> str:
        offered = {each.value: each.words for each in _choices(code, defined, stores)}
        return offered.get(choice) or choice.removeprefix("=")

    return [
        Decided(code, value, finding_in_words(code, value, labels), chosen(code, choice))
        for code, value, choice in job.decisions
    ]


def refusals_of(job: MemberImport) -> list[tuple[str, str, int]]:
    """Why rows are refused: the finding, in words, in how many rows."""
    labels = _labels(job)
    return [(code, finding_in_words(code, "", labels), rows) for code, _value, rows in checking.refusals(job)]


def stateable(job: MemberImport, levels: Iterable[str] = ()) -> list[tuple[str, str]]:
    """The control totals that a sender may state, in words; of the levels, those that the file holds, was stated to hold,
    or that are given."""
    told = [(key, words.in_language(_language())) for part in parts() for key, words in part.stateable(job.program)]
    known = dict.fromkeys([
        *(key for key in job.stated if key.startswith(LEVELS)),
        *(f"{LEVELS}{level}" for level in [*levels, *job.totals.get("levels", {}).get("stated", {})]),
    ])  # fmt: skip
    called = level_names(job.program) if known else {}
    levels_told = [
        (
            key,
            _("Rows of the level “%(level)s”")
            % {"level": called.get(key.removeprefix(LEVELS), key.removeprefix(LEVELS))},
        )
        for key in known
    ]
    return [("rows", _("Number of rows")), *told, *levels_told]


def _level_of(program: Program) -> AttributeDefinition | None:
    return next((each for each in definitions_for(program.unit) if each.key == LEVEL and each.is_active), None)


def level_names(program: Program) -> dict[str, str]:
    """What the levels of the old system are called, by their values."""
    defined = _level_of(program)
    return {each.value: each.words for each in meanings_of(defined) or ()} if defined is not None else {}


def levels_read(program: Program, column: Column, texts: Iterable[str]) -> list[str]:
    """As what texts of the column of levels are read, each once; a text that means nothing yet stays as it is."""
    defined, meant = _level_of(program), meaning_of(column)

    def read(text: str) -> str:
        try:
            return str(value_of(defined, text)) if defined is not None else text
        except AttributeRefused:
            return text

    return list(dict.fromkeys(read(meant.get(compared(text), text)) for text in texts))


def totals_of(job: MemberImport) -> list[Total]:
    """Rows and sums, as stated and as found."""
    found = stated_totals(job)
    return [
        Total(words, None if job.stated.get(key) is None else int(job.stated[key]), found.get(key, 0))
        for key, words in stateable(job)
        if key in found or job.stated.get(key) is not None
    ]


def brought_by(job: MemberImport) -> list[Brought]:
    return [each for part in parts() for each in part.brought(job)]


def back_of(job: MemberImport) -> list[tuple[str, int]]:
    """What was taken back, in words, and what stayed."""
    own = {
        "gone": _("Members who went"), "restored": _("Members put back as they were"),
        "stayed": _("Members who stay: they have had a life since"),
    }  # fmt: skip
    told = {key: words.in_language(_language()) for key, words in LABELS.items()} | own
    return [(told.get(name, name), number) for name, number in job.totals.get("back", {}).items()]
