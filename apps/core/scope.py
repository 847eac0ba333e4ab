"""Who sees which rows: every model of ours says where in the group's tree its rows live, and every queryset
that leaves the server has passed `visible_to(principal)`.

The tree itself belongs to a higher room (`orgs`), which supplies a principal's reach through `reach_provider`.
A principal is a signed-in staff person or an API client.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Func, OuterRef, Q

from apps.core.errors import NotAllowed


@dataclass(frozen=True)
class Reach:
    """The units a principal reaches for one permission: `paths` are roots of subtrees, or everything.

    `units` are the ids of all units in those subtrees, where they are few enough to be named in a statement.
    """

    everything: bool = False
    paths: tuple[str, ...] = ()
    units: frozenset[int] | None = None

    def covers(self, path: str) -> bool:
        """Whether the unit at `path` lies in a reached subtree."""
        return self.everything or any(path.startswith(root) for root in self.paths)

    @property
    def is_empty(self) -> bool:
        return not self.everything and not self.paths


STEP = 4
"""Characters of one level of a unit's materialised path."""

ReachProvider = Callable[[Any, str], Reach]
_provider: list[ReachProvider] = []


def set_reach_provider(provider: ReachProvider) -> None:
    """Called once, by the room that owns the tree: `provider(principal, permission) -> Reach`."""
    _provider[:] = [provider]


def reach_of(principal: Any, permission: str) -> Reach:
    """Where `principal` holds `permission` (`app.verb_model`); nothing for anonymous visitors."""
    return _provider[0](principal, permission)


def is_reading(permission: str) -> bool:
    """Whether `permission` only lets see: then what governs a reach from above belongs to it."""
    return permission.partition(".")[2].startswith("view_")


@dataclass(frozen=True)
class Scope:
    """Where the rows of a model live.

    `units` are lookups to org units whose subtree makes a row visible (any of them does). With `governs`, a row
    is visible from below too: a company's rule to the staff of its stores. With `everybody`, rows hold nothing
    that needs hiding among staff. With `own`, rows belong to one staff person, named by that lookup.
    """

    units: tuple[str, ...] = ()
    governs: bool = False
    everybody: bool = False
    own: str = ""

    def condition(self, model: type[models.Model], reach: Reach, principal: Any, *, from_below: bool) -> Q:
        """The rows of `model` within `reach`; `from_below` adds what only governs it, where the scope says so."""
        if self.everybody or reach.everything:
            return Q()
        if self.own:
            return Q(**{self.own: principal.pk})
        if reach.is_empty:
            return Q(pk__in=())
        units = Q()
        for root in reach.paths:
            units |= Q(path__startswith=root)
        if self.governs and from_below:
            above = {root[:end] for root in reach.paths for end in range(STEP, len(root), STEP)}
            units |= Q(path__in=sorted(above))
        condition = Q()
        for lookup in self.units:
            if lookup == "self":
                condition |= units
            elif reach.units is not None and not (self.governs and from_below):
                # Named ids are counted by the planner; a subquery's are guessed, and lists of members walked in vain.
                condition |= Q(**{f"{lookup}__in": sorted(reach.units)})
            else:
                condition |= Q(**{f"{lookup}__in": model_at(model, lookup)._default_manager.filter(units).values("pk")})
        return condition

    def admits(self, row: models.Model, reach: Reach, principal: Any, *, from_below: bool) -> bool:
        """`condition`, asked of one row as it was read: what its foreign keys lead to is loaded once and kept."""
        if self.everybody or reach.everything:
            return True
        if self.own:
            return bool(_followed(row, self.own) == principal)
        units = [_followed(row, lookup) for lookup in self.units]
        return any(
            reach.covers(unit.path)
            or (self.governs and from_below and any(root.startswith(unit.path) for root in reach.paths))
            for unit in units
            if unit is not None
        )


def _followed(row: Any, lookup: str) -> Any:
    """What a chain of foreign keys leads to from `row`; None where it breaks off."""
    for name in lookup.split("__") if lookup != "self" else ():
        row = row and getattr(row, name)
    return row


def model_at(model: type[models.Model], lookup: str) -> type[models.Model]:
    """The model at the end of a chain of foreign keys."""
    for name in lookup.split("__"):
        model = model._meta.get_field(name).related_model  # type: ignore[assignment]
    return model


def first_of_units(model: Any, units: Collection[int], bounds: Q, order: str, count: int) -> models.QuerySet:
    """The first `count` keys, merged from as many of each unit: by the index, however few rows a unit has and however
    old they are. Walking all rows for those of a few units takes a thousand times as long when these are old."""
    (lookup,) = model.scope.units
    of_unit = model._default_manager.filter(bounds, **{lookup: OuterRef("pk")}).order_by(order).values("pk")[:count]
    named = model_at(model, lookup)._default_manager.filter(pk__in=sorted(units)).order_by()
    keys: models.QuerySet = named.values(key=Func(ArraySubquery(of_unit), function="unnest"))
    return keys.order_by(order.replace("pk", "key"))[:count]


class ScopedQuerySet(models.QuerySet):
    """The base of every queryset of ours."""

    def visible_to(self, principal: Any, permission: str | None = None) -> Self:
        """The rows `principal` may see, or may do `permission` (`app.verb_model`) to."""
        meta = self.model._meta
        wanted = permission or f"{meta.app_label}.view_{meta.model_name}"
        scope: Scope = self.model.scope  # type: ignore[attr-defined]
        reach = reach_of(principal, wanted)
        return self.filter(scope.condition(self.model, reach, principal, from_below=is_reading(wanted)))


class ScopedModel(models.Model):
    """The base of every model of ours; `scope` says where its rows live."""

    scope: Scope

    objects = ScopedQuerySet.as_manager()

    class Meta:
        abstract = True


class AppendOnlyModel(ScopedModel):
    """Rows that nobody changes or removes: the application's role holds no right to, and a trigger refuses."""

    append_only = True

    class Meta:
        abstract = True


def require(principal: Any, permission: str, path: str) -> None:
    """Raises NotAllowed unless `principal` holds `permission` on the unit at `path`; None is the studio itself."""
    if principal is not None and not reach_of(principal, permission).covers(path):
        raise NotAllowed(permission=permission)
