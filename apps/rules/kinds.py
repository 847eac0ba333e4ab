"""The registry of what rules may give: each kind of effect with its shape, its words, and what it is when a rule is in
force.

The rules' own kinds are in `apps.rules.giving`. A room that has something else to give registers it when it is ready:

    register(Kind("voucher", gettext_lazy("A voucher"), GiveVoucher, live_voucher, voucher_clause))

From then on definitions may hold it, in the editor, the API and the JSON document alike.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    from apps.rules.effects import Effect
    from apps.rules.sentences import Writer


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of effect; `name` is what its `effect` says in a definition.

    `live(effect, point_type_id, paths)` compiles one that was checked: the id is 0 where it gives no points, `paths` are
    those of org units by code. `clause(writer, effect)` says one, as far as it is written: the writer's `say`, `figure`,
    `money` and `points` stand in for what is missing.
    """

    name: str
    label: Any
    """What the editor calls it: a text, translated when it is shown."""
    shape: type[BaseModel]
    live: Callable[[Mapping[str, Any], int, Mapping[str, str]], "Effect"]
    clause: Callable[["Writer", Mapping[str, Any]], str]
    measures: str = ""
    """What a limit can measure of it, beside its points: `amount` or `pieces`."""


KINDS: dict[str, Kind] = {}
_listeners: list[Callable[[], Any]] = []


def register(*kinds: Kind) -> None:
    """Adds kinds. Raises ValueError where the name of one is taken."""
    for kind in kinds:
        if kind.name in KINDS:
            raise ValueError(f"there is an effect called {kind.name} already")
        KINDS[kind.name] = kind
    for changed in _listeners:
        changed()


def when_registered(changed: Callable[[], Any]) -> None:
    """Has `changed()` called whenever there are more."""
    _listeners.append(changed)


def kind_name(effect: Any) -> str | None:
    """The name of an effect's kind, as JSON or as its shape; None for what is no kind."""
    name = effect.get("effect") if isinstance(effect, dict) else getattr(effect, "effect", None)
    return name if isinstance(name, str) and name in KINDS else None
