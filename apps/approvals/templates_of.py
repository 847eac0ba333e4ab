"""Where a new policy begins: five worked definitions, each for the kinds of requests that it fits. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.approvals.catalogue import catalogue_of
from apps.approvals.definition import Definition
from apps.conditions.tree import ConditionError, parse
from apps.conditions.words import Words
from apps.orgs.gate import kind_called

Made = dict[str, Any]


def _role(code: str, need: Any = "any") -> Made:
    return {"who": {"kind": "role", "role": code}, "need": need}


MANAGER: Made = {"who": {"kind": "manager"}, "need": "any"}


def _step(*parties: Made, **more: Any) -> Made:
    return {"parties": list(parties), **more}


def _from(field: str, value: int) -> Made:
    return {"all": [{"field": field, "op": "ge", "value": value}]}


def _band(words: Words, why: Words, when: Made, *steps: Made) -> Callable[[str], Made]:
    return lambda language: {
        "name": words.in_language(language),
        "why": why.in_language(language),
        "when": when,
        "steps": list(steps),
    }


REGION, FINANCE, PRESIDENT = _role("regional_manager"), _role("finance"), _role("vice_president")
MAJOR = {"any": [{"field": "request.change", "op": "in", "value": ["new", "major"]}]}
ALWAYS: Made = {"all": []}


@dataclass(frozen=True)
class Start:
    """A definition to begin from. `bands` make it for a field that counts, in a language."""

    code: str
    name: Words
    says: Words
    bands: Callable[[str], tuple[Callable[[str], Made], ...]]
    otherwise: str = "at_once"
    counts: bool = False
    """Whether it asks how large a request is: it fits kinds that add up."""

    def definition(self, kind: str, language: str) -> Made:
        """The definition in the form of `apps.approvals.definition`, its names in a language."""
        return {
            "bands": [band(language) for band in self.bands(measure_of(kind))],
            "otherwise": self.otherwise,
        }

    def fits(self, kind: str) -> bool:
        """Whether every field that it asks about is told of requests of `kind`."""
        if self.counts and not measure_of(kind):
            return False
        catalogue = catalogue_of(kind)
        try:
            for band in Definition.model_validate(self.definition(kind, "en")).bands:
                parse(band.when, catalogue)
        except ConditionError:
            return False
        return True


def measure_of(kind: str) -> str:
    """The field that says how large a request is: the first that adds up; empty where requests have no size."""
    return next(iter(kind_called(kind).adds_up), "")


def _bands(field: str) -> tuple[Callable[[str], Made], ...]:
    return (
        _band(Words("5,000 and more", "5,000 及以上"), Words("So much costs real money.", "金额较大。"),
              _from(field, 5000), _step(REGION), _step(FINANCE), _step(PRESIDENT)),
        _band(Words("1,000 and more", "1,000 及以上"), Words("Somebody else looks at it.", "需要他人复核。"),
              _from(field, 1000), _step(REGION)),
    )  # fmt: skip


def _major(field: str) -> tuple[Callable[[str], Made], ...]:
    return (
        _band(Words("Major changes", "重大变更"),
              Words("Marketing, finance and the region decide together.", "市场、财务与区域共同决定。"),
              MAJOR, _step(_role("marketing_head"), FINANCE, REGION)),
        _band(Words("Minor changes", "一般变更"), Words("The head of marketing looks at it.", "由市场总监审批。"),
              ALWAYS, _step(_role("marketing_head"))),
    )  # fmt: skip


def _several(field: str) -> tuple[Callable[[str], Made], ...]:
    return (
        _band(Words("Every request", "所有申请"), Words("Two people of three agree.", "三人中两人同意。"),
              ALWAYS, _step(_role("finance", 2))),
    )  # fmt: skip


def _in_time(field: str) -> tuple[Callable[[str], Made], ...]:
    step = _step(MANAGER, hours=8, remind=4, escalate=[{"kind": "role", "role": "regional_manager"}])
    return (
        _band(Words("Every request", "所有申请"),
              Words("Nobody waits for somebody who is away.", "审批人不在时也不必久等。"), ALWAYS, step),
    )  # fmt: skip


def _in_parts(field: str) -> tuple[Callable[[str], Made], ...]:
    return (
        _band(Words("5,000 and more in 30 days", "30 天内合计 5,000 及以上"),
              Words("Asking in parts is no way round.", "拆分申请不能绕过审批。"),
              {"any": [{"field": "request.total", "op": "ge", "value": 5000},
                       {"field": "requester.total", "op": "ge", "value": 20000}]},
              _step(REGION), _step(FINANCE)),
        _band(Words("1,000 and more", "1,000 及以上"), Words("Somebody else looks at it.", "需要他人复核。"),
              _from(field, 1000), _step(REGION)),
    )  # fmt: skip


STARTS: tuple[Start, ...] = (
    Start(
        "bands", Words("By size: 1,000 and 5,000", "按数量分档：1,000 和 5,000"),
        Words(
            "From 1,000 on the regional manager says yes; from 5,000 on finance and the vice president, too.",
            "1,000 起须经区域经理同意；5,000 起还须经财务和副总裁同意。",
        ), _bands, counts=True,
    ),
    Start(
        "major", Words("Major and minor changes", "重大变更与一般变更"),
        Words(
            "Minor changes are for the head of marketing; on major ones marketing, finance and the region decide together.",
            "一般变更由市场总监审批；重大变更由市场、财务与区域共同决定。",
        ), _major,
    ),
    Start(
        "several", Words("Two of several people", "多人中的两人"),
        Words("Two people of finance say yes, whoever is there first.", "财务人员中任意两人同意即可。"), _several,
    ),
    Start(
        "in_time", Words("The manager, in time", "上级按时审批"),
        Words(
            "The requester's manager has 8 working hours and is reminded after 4; then the regional manager is asked as well.",
            "申请人的上级须在 8 个工作小时内审批，4 小时后提醒；超时则同时请区域经理审批。",
        ), _in_time,
    ),
    Start(
        "in_parts", Words("What is asked for in parts", "拆分的申请"),
        Words(
            "What adds up to 5,000 within 30 days takes the long road, in however many parts it comes.",
            "30 天内合计达到 5,000 的申请走更长的审批路径，无论拆成几次。",
        ), _in_parts, counts=True,
    ),
    Start(
        "empty", Words("An empty page", "空白"),
        Words("No band yet: everything is carried out at once.", "尚无分档：所有申请直接执行。"), lambda field: (),
    ),
)  # fmt: skip
"""In the order in which they are offered."""


def starts_for(kind: str) -> list[Start]:
    """The definitions that requests of `kind` can begin from. Raises SubjectGone."""
    return [start for start in STARTS if start.fits(kind)]
