"""Policies and paths as sentences, in both languages."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import get_language

from apps.approvals.catalogue import ROLES, catalogue_of
from apps.approvals.definition import Band, Definition, ManagerOf, Named, OfRole, Party, Step, Who
from apps.conditions.sentences import sentence
from apps.conditions.tree import ConditionError, parse
from apps.conditions.words import Words

MANAGER = Words("the requester's manager", "申请人的上级")
NEEDS: dict[str, Words] = {
    "any": Words("{who}", "{who}"),
    "all": Words("every {who}", "全部{who}"),
    "count": Words("{n} of {who}", "{n} 位{who}"),
}
AND, THEN = Words(" and ", "和"), Words(", then ", "，然后")
ALWAYS, EVERY = Words("For every other request", "其余申请"), Words("For every request", "所有申请")
WHEN = Words("When {condition}", "当{condition}")
BAND = Words("{when}: {road}.", "{when}：{road}。")
FREE = Words("nobody else is asked", "无需他人审批")
ASKED = Words("{path} must say yes", "须经{path}同意")
TERMS: dict[tuple[bool, bool, bool], Words] = {
    (False, True, False): Words("{who} (reminded after {remind} working hours)", "{who}（{remind} 个工作小时后提醒）"),
    (True, False, False): Words("{who} (within {hours} working hours)", "{who}（{hours} 个工作小时内）"),
    (True, True, False): Words(
        "{who} (within {hours} working hours, reminded after {remind})",
        "{who}（{hours} 个工作小时内，{remind} 小时后提醒）",
    ),
    (True, False, True): Words(
        "{who} (within {hours} working hours; then {others} may decide, too)",
        "{who}（{hours} 个工作小时内，超时后{others}亦可审批）",
    ),
    (True, True, True): Words(
        "{who} (within {hours} working hours, reminded after {remind}; then {others} may decide, too)",
        "{who}（{hours} 个工作小时内，{remind} 小时后提醒，超时后{others}亦可审批）",
    ),
}
"""A step's terms: by whether it has a deadline, a reminder, and somebody who is asked after the deadline."""
OTHERWISE = {
    "at_once": Words("Whatever fits nothing above is carried out at once.", "不符合以上任何一条的申请直接执行。"),
    "refused": Words("Whatever fits nothing above is refused.", "不符合以上任何一条的申请不予受理。"),
}
NOBODY = Words("nobody yet", "暂无人员")


def code_of(language: str | None) -> str:
    return language or get_language() or "en"


def who_in_words(who: Who, language: str, names: Mapping[str, str] | None = None) -> str:
    """`names` gives the names of people by what they sign in with."""
    match who:
        case OfRole(role=role):
            return ROLES[role].in_language(language)
        case Named(person=person):
            return (names or {}).get(person, person)
        case ManagerOf():
            return MANAGER.in_language(language)


def party_in_words(party: Party, language: str, names: Mapping[str, str] | None = None) -> str:
    need = party.need if isinstance(party.need, str) else "any" if party.need == 1 else "count"
    return NEEDS[need].in_language(language).format(who=who_in_words(party.who, language, names), n=party.need)


def step_in_words(step: Step, language: str, names: Mapping[str, str] | None = None) -> str:
    who = AND.in_language(language).join(party_in_words(party, language, names) for party in step.parties)
    terms = TERMS.get((bool(step.hours), bool(step.remind), bool(step.escalate)))
    if terms is None:
        return who
    others = AND.in_language(language).join(who_in_words(each, language, names) for each in step.escalate)
    return terms.in_language(language).format(who=who, hours=step.hours, remind=step.remind, others=others)


def steps_in_words(steps: Iterable[Step], language: str, names: Mapping[str, str] | None = None) -> str:
    return THEN.in_language(language).join(step_in_words(step, language, names) for step in steps)


def path_in_words(steps: Iterable[Any], language: str | None = None) -> str:
    """A planned path: the roles, and in brackets the people who are asked."""
    code = code_of(language)
    said = []
    for planned in steps:
        parties = []
        for party, people in zip(planned.step.parties, planned.people, strict=True):
            names = ("、" if code.startswith("zh") else ", ").join(str(asked.person) for asked in people[:3])
            names = names or NOBODY.in_language(code)
            brackets = "（{}）" if code.startswith("zh") else " ({})"
            parties.append(party_in_words(party, code) + brackets.format(names + ("…" if len(people) > 3 else "")))
        said.append(AND.in_language(code).join(parties))
    return THEN.in_language(code).join(said)


def band_sentence(
    kind: str,
    band: Band,
    language: str,
    unit_names: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    *,
    is_first: bool = False,
) -> str:
    """`is_first`: no other band stands before it."""
    catalogue = catalogue_of(kind)
    try:
        tree = parse(band.when, catalogue)
    except ConditionError:
        condition = "…"
    else:
        condition = sentence(tree, catalogue, language, unit_names)
    is_always = band.when == {"all": []}
    always = EVERY if is_first else ALWAYS
    when = always.in_language(language) if is_always else WHEN.in_language(language).format(condition=condition)
    path = steps_in_words(band.steps, language, names)
    road = ASKED.in_language(language).format(path=path) if band.steps else FREE.in_language(language)
    return BAND.in_language(language).format(when=when, road=road)


def policy_sentences(
    kind: str,
    definition: Definition,
    language: str | None = None,
    unit_names: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
) -> list[str]:
    """One sentence for each band, and one for what fits none."""
    code = code_of(language)
    bands = [
        band_sentence(kind, band, code, unit_names, names, is_first=number == 0)
        for number, band in enumerate(definition.bands)
    ]
    is_covered = any(band.when == {"all": []} for band in definition.bands)
    return bands if is_covered else [*bands, OTHERWISE[definition.otherwise].in_language(code)]
