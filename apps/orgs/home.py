"""What the home page says about people and configuration."""

from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Exists, OuterRef
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from guardian.models import UserObjectPermission

from apps.core.addresses import address
from apps.core.formats import moment, number
from apps.core.home import Empty, Figure, Link, Panel, Row, section
from apps.core.palette import MOST, Found, source
from apps.orgs.jobs import jobs_held
from apps.orgs.models import ApiClient, OrgUnit, Staff
from apps.orgs.querysets import zone_of

CHANGES = 10


@section(order=10, permission="orgs.change_staff")
def people(person: Any, when: datetime) -> Panel:
    """People who can sign in but have no job."""
    grants = UserObjectPermission.objects.filter(user=OuterRef("pk"), content_type__app_label="orgs")
    idle = Staff.objects.visible_to(person, "orgs.change_staff").filter(is_active=True, is_superuser=False)
    found = list(idle.filter(~Exists(grants)).select_related("unit").order_by("-pk")[:6])
    rows = tuple(
        Row(
            staff.get_full_name() or staff.get_username(),
            address("orgs_staff_change", staff.pk),
            str(staff.unit or ""),
            tag=_("No job yet"),
            tone="warn",
        )
        for staff in found
    )
    empty = Empty(
        _("Everybody who can sign in has a job on an org unit."),
        Link(_("Add a person"), address("orgs_staff_add")),
    )
    everybody = Link(_("All staff"), address("orgs_staff_changelist"))
    return Panel(_("People without a job"), rows=rows, empty=empty, more=everybody)


@section(order=20, permission="orgs.change_apiclient")
def clients(person: Any, when: datetime) -> Panel | None:
    """The systems that call the API, and whether they may."""
    if "integrator" not in jobs_held(person):
        return None
    found = list(ApiClient.objects.visible_to(person).select_related("unit").order_by("name", "pk")[:6])
    rows = tuple(
        Row(
            client.name,
            address("orgs_apiclient_change", client.pk),
            f"{client.unit}, {client.key_hint}…",
            tag=_("Active") if client.is_active else _("Switched off"),
            tone="good" if client.is_active else "warn",
        )
        for client in found
    )
    new = Link(_("Add an API client"), address("orgs_apiclient_add"))
    empty = Empty(_("Tills, web shops and ERPs call the studio with a key of their own."), new)
    return Panel(_("Systems that call the API"), rows=rows, empty=empty, more=new if rows else None)


@section(order=20, permission="orgs.view_staff")
def changes(person: Any, when: datetime) -> Panel | None:
    """The latest changes of configuration, whoever made them. One query per kind of configuration."""
    if "auditor" not in jobs_held(person):
        return None
    versions = []
    model: Any
    for model in apps.get_models():
        is_configuration = hasattr(model._meta, "simple_history_manager_attribute")
        if is_configuration and hasattr(model, "scope") and person.has_perm(_view(model)):
            seen = model._default_manager.visible_to(person).values("pk")
            history = model.history.filter(id__in=seen).select_related("history_user")
            versions += [(version, model) for version in history.order_by("-history_date", "-history_id")[:CHANGES]]
    versions.sort(key=lambda pair: pair[0].history_date, reverse=True)
    zone = zone_of(person)
    kinds = {"+": (_("Created"), "good"), "~": (_("Changed"), ""), "-": (_("Deleted"), "bad")}
    rows = tuple(
        Row(
            _("%(kind)s: %(name)s") % {"kind": capfirst(model._meta.verbose_name), "name": version.instance},
            _history_address(model, version.id),
            f"{moment(version.history_date, zone)}, {version.history_user or _('the studio')}",
            tag=kinds[version.history_type][0],
            tone=kinds[version.history_type][1],
        )
        for version, model in versions[:CHANGES]
    )
    empty = Empty(_("Every change of units, programmes, rules, people and keys appears here, with who made it."))
    return Panel(_("Latest changes"), rows=rows, empty=empty, is_wide=True)


def _view(model: Any) -> str:
    return f"{model._meta.app_label}.view_{model._meta.model_name}"


def _history_address(model: Any, pk: int) -> str:
    return address(f"{model._meta.app_label}_{model._meta.model_name}_history", pk)


@section(order=30, permission="orgs.change_orgunit")
def tree(person: Any, when: datetime) -> Panel:
    """The size of what an administrator looks after."""
    units = OrgUnit.objects.visible_to(person).filter(is_active=True).values_list("kind", flat=True)
    kinds = list(units)
    figures = tuple(
        Figure(
            str(label),
            number(kinds.count(kind)),
            address=f"{address('orgs_orgunit_changelist')}?kind__exact={kind}",
        )
        for kind, label in OrgUnit.Kind.choices
        if kind in kinds
    )
    empty = Empty(_("No org units yet."), Link(_("Add an org unit"), address("orgs_orgunit_add")))
    return Panel(_("Your part of the group"), figures=figures, empty=empty)


@source(gettext_lazy("Org units"), permission="orgs.view_orgunit", listed="orgs_orgunit_changelist")
def units(person: Any, term: str) -> list[Found]:
    found = OrgUnit.objects.visible_to(person).filter(name__icontains=term)
    return [
        Found(unit.name, str(unit.get_kind_display()), address("orgs_orgunit_change", unit.pk), "store")
        for unit in found[: MOST + 1]
    ]
