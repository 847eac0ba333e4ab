"""Who reads which requests: whoever may see what they are about, where it is; and whoever sent, decided or was asked."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q
from django.db.models.functions import Now

from apps.core.scope import Reach, Scope, reach_of
from apps.orgs.gate import kinds
from apps.orgs.models import Staff


def readable_kinds(principal: Any) -> dict[str, Reach]:
    """Each kind of which `principal` reads requests by right, and where."""
    reaches = {code: reach_of(principal, kind.view) for code, kind in kinds().items()}
    return {code: reach for code, reach in reaches.items() if not reach.is_empty}


@dataclass(frozen=True)
class RequestScope(Scope):
    """Of requests. Everybody holds the permission to read them somewhere; which ones follows from their kinds."""

    def condition(self, model: type[models.Model], reach: Reach, principal: Any, *, from_below: bool) -> Q:
        if reach.everything:
            return Q()
        condition = Q()
        for code, kind_reach in readable_kinds(principal).items():
            condition |= Q(kind=code) & super().condition(model, kind_reach, principal, from_below=False)
        return condition | involving(principal) if isinstance(principal, Staff) else condition or Q(pk__in=())

    def admits(self, row: Any, reach: Reach, principal: Any, *, from_below: bool) -> bool:
        if reach.everything:
            return True
        kind_reach = readable_kinds(principal).get(row.kind)
        if kind_reach is not None and kind_reach.covers(row.unit.path):
            return True
        if not isinstance(principal, Staff):
            return False
        return has_part(principal, row)


def involving(person: Staff) -> Q:
    """Requests that `person` sent, is or was asked about, decided on, or stands in for somebody who is asked."""
    # Asked of each row by its key: a list of all that somebody was ever asked would be gathered for every page.
    tasks = apps.get_model("approvals", "ApprovalTask").objects.filter(request=OuterRef("pk"))
    stands_in = apps.get_model("approvals", "Delegation").objects.filter(
        delegate=person.pk, starts_at__lte=Now(), ends_at__gt=Now(), ended_at=None
    )
    named = Func(F("kinds"), OuterRef(OuterRef("kind")), function="jsonb_exists", output_field=models.BooleanField())
    of_this_kind = Q(kinds=[]) | Q(named)
    decided = apps.get_model("approvals", "Decision").objects.filter(request=OuterRef("pk"), person=person.pk)
    return (
        Q(requester=person.pk)
        | Q(Exists(tasks.filter(person=person.pk)))
        | Q(Exists(tasks.filter(person__in=stands_in.filter(of_this_kind).values("person"), is_open=True)))
        | Q(Exists(decided))
    )


def has_part(person: Staff, request: Any) -> bool:
    """Whether `person` sent the request, is or was asked about it, decided on it, or stands in for somebody who is asked;
    everybody else only reads it."""
    found: bool = type(request).objects.filter(involving(person), pk=request.pk).exists()
    return found


@dataclass(frozen=True)
class InRequestScope(Scope):
    """Of what belongs to a request: read by whoever reads that."""

    def condition(self, model: type[models.Model], reach: Reach, principal: Any, *, from_below: bool) -> Q:
        if reach.everything:
            return Q()
        requests = apps.get_model("approvals", "ApprovalRequest").objects.visible_to(principal)
        return Q(request__in=requests.values("pk"))

    def admits(self, row: Any, reach: Reach, principal: Any, *, from_below: bool) -> bool:
        scope: Scope = type(row.request).scope
        return scope.admits(row.request, reach, principal, from_below=from_below)
