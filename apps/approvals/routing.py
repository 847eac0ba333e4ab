"""Which road a request takes: the policy of the nearest unit, the first of its bands that fits, and the longer road
for what was asked for in parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.approvals.catalogue import catalogue_of, subjects_of
from apps.approvals.definition import Band, Definition
from apps.approvals.models import PolicyVersion
from apps.conditions.compiling import HOLDS, compile_many
from apps.conditions.tree import parse
from apps.orgs.gate import kind_called
from apps.orgs.models import OrgUnit
from apps.orgs.querysets import paths_above


@dataclass(frozen=True)
class Road:
    """What a policy says of a request. `version` is None where there is no policy, `band` where none fits."""

    version: PolicyVersion | None = None
    band: Band | None = None
    is_refused: bool = False
    is_longer: bool = False
    """Whether it is the road of the total, not of the request alone."""

    @property
    def is_free(self) -> bool:
        """Whether nobody else is asked."""
        return not self.is_refused and (self.band is None or not self.band.steps)


def policy_in_force(kind: str, unit: OrgUnit) -> PolicyVersion | None:
    """What is in force at `unit`: the policy of the nearest unit at or above it that has one switched on; where no unit
    has, that of the kind as which it is held. One query, or two."""
    versions = PolicyVersion.objects.filter(
        policy__kind=kind, policy__is_active=True, state=PolicyVersion.State.PUBLISHED,
        policy__unit__path__in=paths_above(unit.path),
    )  # fmt: skip
    found = versions.select_related("policy__unit").order_by("-policy__unit__depth").first()
    held_as = kind_called(kind).held_as
    return found if found is not None or not held_as else policy_in_force(held_as, unit)


def road_of(
    version: PolicyVersion | None, facts: Mapping[str, Any], totals: Mapping[str, Any], units: Mapping[str, str]
) -> Road:
    """The road of a request with these `facts`; `totals` are those of its facts that add up, with what was asked for
    besides within the window. Pure; `units` are paths by code."""
    if version is None:
        return Road()
    definition = Definition.model_validate(version.definition)
    band, is_refused, is_longer = Bands(version.policy.kind, definition, units).road(facts, totals)
    return Road(version, band, is_refused, is_longer)


class Bands:
    """The bands of a definition, made ready to judge any number of requests. Pure."""

    def __init__(self, kind: str, definition: Definition, units: Mapping[str, str]) -> None:
        self.kind, self.definition = kind, definition
        catalogue = catalogue_of(kind)
        trees = [parse(band.when, catalogue) for band in definition.bands]
        self._test = compile_many(trees, catalogue, units)

    def first(self, facts: Mapping[str, Any]) -> Band | None:
        """The first band whose condition holds."""
        answers = self._test(*subjects_of(self.kind, facts))
        pairs = zip(self.definition.bands, answers, strict=True)
        return next((band for band, answer in pairs if answer == HOLDS), None)

    def road(self, facts: Mapping[str, Any], totals: Mapping[str, Any]) -> tuple[Band | None, bool, bool]:
        """The band that decides, whether the request is refused, and whether its total takes it the longer road."""
        alone, summed = self.first(facts), self.first({**facts, **totals}) if totals else None
        is_longer = bool(totals) and self._length(summed) > self._length(alone)
        band = summed if is_longer else alone
        return band, band is None and self.definition.otherwise == "refused", is_longer

    def _length(self, band: Band | None) -> int:
        if band is None:
            return -1 if self.definition.otherwise == "at_once" else 10_000
        return band.length
