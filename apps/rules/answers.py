"""What the sender of an event is told: the kept answer, its reasons in the language in force. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import get_language

from apps.rules.effects import CARRY
from apps.rules.explain import reasons
from apps.rules.sentences import Names
from apps.rules.snapshot import ProgramInfo, Snapshot, UnitInfo


def told(answer: Mapping[str, Any], program: ProgramInfo) -> dict[str, Any]:
    """The answer of an event of `program` as its sender gets it, however often they ask."""
    definitions = {version.live.version_id: {"condition": version.condition} for version in program.versions}
    worded = reasons(answer, definitions, program.currency, Names(special_days=program.special_days))
    return {
        **{name: answer[name] for name in ("event", "key", "status", "balance")},
        "awards": [
            # The database keeps names in an order of its own: sorted, the first answer and the repeated one are one.
            {**award, "why": joined(reason.sentences), "reason": dict(sorted(award["why"].items()))}
            for award, reason in zip(answer["awards"], worded, strict=True)
        ],
        "released": _released(answer["released"], program) if "released" in answer else [],
        "progress": [
            {"rule": each["rule"], "done": each["done"], "goal": each["goal"], "reached": max(0, each["fired"])}
            for each in answer.get("progress") or ()
            if not each["of"].startswith(CARRY)
        ],
    }


def _released(released: Sequence[Mapping[str, Any]], program: ProgramInfo) -> list[dict[str, Any]]:
    codes = {version.live.version_id: version.live.code for version in program.versions}
    return [
        {"rule": codes.get(each["version_id"]), "point_type": each["point_type"], "points": each["points"]}
        for each in released
    ]


def joined(sentences: tuple[str, ...]) -> str:
    """Sentences as one text; Chinese has no space between them."""
    return ("" if (get_language() or "").startswith("zh") else " ").join(sentences)


def program_at(copy: Snapshot, store: str | None, home_id: int) -> ProgramInfo:
    """The programme of an event at the unit with the code `store`, or at the source's home."""
    unit: UnitInfo = copy.units_by_id[home_id] if store is None else copy.units[store]
    assert unit.program_id is not None  # an event was taken there
    return copy.programs[unit.program_id]
