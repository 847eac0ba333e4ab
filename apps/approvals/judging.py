"""A policy's definition while somebody writes it: each band as a sentence, every fault, and what the bands cover."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from apps.approvals.coverage import coverage_of, remarks
from apps.approvals.definition import Band, Definition, Faulty, check_definition
from apps.approvals.models import Policy
from apps.approvals.words import OTHERWISE, band_sentence
from apps.conditions.tree import Fault
from apps.orgs.models import OrgUnit, Staff

UNFINISHED = "…"


class Judge:
    """What there is to name in policies: units and people. Two queries, whatever is asked of it."""

    def __init__(self) -> None:
        rows = list(OrgUnit.objects.values_list("code", "path", "name"))
        self.units = {code: path for code, path, _ in rows}
        self.unit_names = {code: name for code, _, name in rows}
        people = Staff.objects.filter(is_active=True).only("username", "first_name", "last_name")
        self.names = {person.username: person.get_full_name() or person.username for person in people}

    def checked(self, kind: str, data: Any) -> Definition:
        """Raises Faulty."""
        return check_definition(kind, data, units=self.units, people=frozenset(self.names))

    def sentences(self, kind: str, definition: Definition, language: str) -> list[tuple[str, str]]:
        """Each band's name and sentence, and what becomes of all others."""
        said = [(band.name, self._sentence(kind, band, language, n == 0)) for n, band in enumerate(definition.bands)]
        if any(band.when == {"all": []} for band in definition.bands):
            return said
        return [*said, ("", OTHERWISE[definition.otherwise].in_language(language))]

    def _sentence(self, kind: str, band: Band, language: str, is_first: bool) -> str:
        return band_sentence(kind, band, language, self.unit_names, self.names, is_first=is_first)

    def written(self, kind: str, data: Any, language: str) -> list[str]:
        """A sentence for each band of a definition that may be unfinished."""
        bands = data.get("bands") if isinstance(data, dict) else None
        shown = (bands if isinstance(bands, list) else [])[:50]
        return [self._written(kind, band, language, number == 0) for number, band in enumerate(shown)]

    def _written(self, kind: str, data: Any, language: str, is_first: bool) -> str:
        try:
            band = Band.model_validate({**data, "name": UNFINISHED, "why": ""})
        except (ValidationError, TypeError):
            return UNFINISHED
        return self._sentence(kind, band, language, is_first)

    def judged(self, policy: Policy, data: Any, language: str) -> dict[str, Any]:
        """Sentences, faults with their paths, and remarks on what is covered where there are no faults."""
        faults: list[dict[str, Any]] = []
        found: list[dict[str, Any]] = []
        try:
            definition = self.checked(policy.kind, data)
        except Faulty as faulty:
            faults = faults_in_words(faulty.faults, language)
        else:
            covered = coverage_of(policy.kind, definition, self.units, policy.unit.path)
            found = [
                {"text": each.text, "warns": each.is_warning, "band": each.band, "facts": self._by_code(each.facts)}
                for each in remarks(policy.kind, definition, covered, language, self.unit_names)
            ]
        return {"sentences": self.written(policy.kind, data, language), "faults": faults, "remarks": found}

    def _by_code(self, facts: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """Facts as a form has them: units by code."""
        codes = {path: code for code, path in self.units.items()}
        return {
            name: codes.get(value, value) if name.endswith(".unit") else value for name, value in facts.items()
        } if facts is not None else None  # fmt: skip


def faults_in_words(faults: Iterable[Fault], language: str) -> list[dict[str, Any]]:
    """Every fault with the path to its place, in a language."""
    return [{"path": list(fault.path), "message": fault.message.in_language(language)} for fault in faults]
