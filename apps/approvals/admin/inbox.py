"""The inbox: four tabs, filters and views of one's own, and several small requests decided on at once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from apps.approvals.models import ApprovalRequest, Decision
from apps.approvals.reading import (
    TABS,
    Narrowed,
    Walk,
    desk_of,
    hats_of,
    kinds_in_words,
    page_of,
    unit_called,
)
from apps.approvals.services.deciding import decide
from apps.approvals.services.views import forget_view, save_view
from apps.approvals.showing import titles_of
from apps.core.admin import actor_of
from apps.core.admin.scoped import ScopedPages
from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.core.formats import number
from apps.core.lists import AFTER, BEFORE, key_in
from apps.orgs.models import Staff

AGES = (1, 3, 7, 30)
MOST_AT_ONCE = 100
FILTERS = ("kind", "unit", "age", "least", "late")
VERDICTS = {"approved": Decision.Verdict.APPROVED, "rejected": Decision.Verdict.REJECTED}


@dataclass(frozen=True)
class Chip:
    """A filter in force, and the address without it."""

    text: str
    address: str


@dataclass(frozen=True)
class Asked:
    """What the address of the inbox says."""

    tab: str
    narrowed: Narrowed
    values: Mapping[str, str]
    """The filters in force, as they stand in the address."""
    words: Mapping[str, str]

    def address(self, **changes: Any) -> str:
        """Of the inbox with these filters but for `changes`; None leaves one out."""
        query = QueryDict(mutable=True)
        query["tab"] = self.tab
        for name, value in {**self.values, **changes}.items():
            if value is not None:
                query[name] = str(value)
        return f"{inbox_address()}?{query.urlencode()}"

    @property
    def chips(self) -> list[Chip]:
        return [Chip(self.words[name], self.address(**{name: None})) for name in self.values]


def inbox_address() -> str:
    return reverse("admin:approvals_approvalrequest_inbox")


def read_asked(said: Mapping[str, str], reader: Staff, when: datetime) -> Asked:
    """The tab and filters that `said` names; what it says wrongly is left out."""
    tab = said.get("tab", "")
    narrowed, values, words = Narrowed(), dict[str, str](), dict[str, str]()
    kinds = dict(kinds_in_words(get_language() or "en"))
    if said.get("kind") in kinds:
        narrowed = replace(narrowed, kind=said["kind"])
        values["kind"], words["kind"] = said["kind"], kinds[said["kind"]]
    unit = unit_called(reader, said["unit"]) if said.get("unit") else None
    if unit is not None:
        narrowed = replace(narrowed, within=unit.path)
        values["unit"], words["unit"] = unit.code, unit.name
    if said.get("age", "") in map(str, AGES):
        days = int(said["age"])
        narrowed = replace(narrowed, sent_before=when - timedelta(days=days))
        values["age"], words["age"] = said["age"], age_in_words(days)
    least = said.get("least", "").replace(",", "").strip()
    if least.isdecimal() and len(least) < 16:
        narrowed = replace(narrowed, least=int(least))
        values["least"], words["least"] = least, _("At least %(amount)s") % {"amount": number(int(least))}
    if said.get("late") == "1":
        narrowed = replace(narrowed, due_by=when)
        values["late"], words["late"] = "1", _("Late")
    return Asked(tab if tab in TABS else TABS[0], narrowed, values, words)


def age_in_words(days: int) -> str:
    return ngettext("Older than %(n)s day", "Older than %(n)s days", days) % {"n": days}


@dataclass(frozen=True)
class Result:
    """What became of one of several requests that were decided on at once."""

    title: str
    address: str
    why_not: str = ""


class InboxPages(ScopedPages):
    """Adds the inbox to the admin class of requests."""

    def get_urls(self) -> list[Any]:
        return [
            self.route("inbox/", self.inbox_view, "inbox"),
            self.route("inbox/decide/", self.bulk_view, "bulk"),
            self.route("inbox/views/", self.views_view, "views"),
            *super().get_urls(),
        ]

    def inbox_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return self._inbox(request, request.GET)

    def _inbox(self, request: HttpRequest, said: Mapping[str, str], **more: Any) -> HttpResponse:
        reader, when = actor_of(request), now()
        asked = read_asked(said, reader, when)
        hats = hats_of(reader, when)
        desk = desk_of(reader, hats)
        after, before = key_in(request, AFTER), key_in(request, BEFORE)
        walk = Walk(before or after, is_back=before is not None)
        page = page_of(asked.tab, reader, hats, asked.narrowed, walk, when)
        labels = dict(zip(TABS, (_("To decide"), _("Mine"), _("Decided"), _("Watching")), strict=True))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Inbox"),
            "asked": asked,
            "tabs": [(tab, labels[tab], desk.counts[tab], f"{inbox_address()}?tab={tab}") for tab in TABS],
            "views": [(pk, name, f"{inbox_address()}?{query}") for pk, name, query in desk.views],
            "here": asked.address().partition("?")[2],
            "units": [(code, f"{'　' * (depth - 1)}{name}") for code, name, depth in desk.units],
            "kinds": kinds_in_words(get_language() or "en"),
            "ages": [(str(days), age_in_words(days)) for days in AGES],
            "page": page,
            "older": page.older and asked.address(**{AFTER: page.older}),
            "newer": page.newer and asked.address(**{BEFORE: page.newer}),
            "when": when,
            **more,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "approvals/inbox.html", context)

    # Several at once.

    def bulk_view(self, request: HttpRequest) -> HttpResponse:
        """Each is decided on by itself, on what the list showed of it, in a transaction of its own."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        verdict = VERDICTS.get(request.POST.get("verdict", ""))
        chosen = _chosen(request.POST.getlist("chosen"))
        query = QueryDict(request.POST.get("here", ""))
        if verdict is None or not chosen:
            return HttpResponseRedirect(f"{inbox_address()}?{query.urlencode()}")
        results = self._decide_each(actor_of(request), chosen, verdict, request.POST.get("comment", ""))
        refused = [result for result in results if result.why_not]
        count = len(results) - len(refused)
        said = (
            ngettext("%(n)s request approved.", "%(n)s requests approved.", count)
            if verdict == Decision.Verdict.APPROVED
            else ngettext("%(n)s request rejected.", "%(n)s requests rejected.", count)
        )
        return self._inbox(request, query, results=said % {"n": count}, refused=refused)

    def _decide_each(self, actor: Staff, chosen: Mapping[int, str], verdict: str, comment: str) -> list[Result]:
        found = ApprovalRequest.objects.visible_to(actor).filter(pk__in=chosen).order_by("-pk")
        requests = list(found.only("kind", "about", "title", "needed"))
        titles = titles_of(requests)
        kind = requests[0].kind if requests else ""
        results = []
        for each in requests:
            page = reverse("admin:approvals_approvalrequest_change", args=[each.pk])
            why_not = ""
            if each.kind != kind:
                why_not = _("It is of another kind than the first: decide on it by itself.")
            elif each.needed > 1:
                why_not = _("It needs more than one person: open it to decide.")
            else:
                why_not = _decide_one(actor, each, verdict, chosen[each.pk], comment)
            results.append(Result(titles[each.pk], page, why_not))
        return results

    # Views of one's own.

    def views_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        query = QueryDict(request.POST.get("here", "")).urlencode()
        forget = request.POST.get("forget", "")
        try:
            if forget.isdecimal() and len(forget) < 19:
                forget_view(actor_of(request), int(forget))
            else:
                save_view(actor_of(request), request.POST.get("name", ""), query)
        except LoyaltyError as refusal:
            self.message_user(request, refusal.sentence(), "error")
        return HttpResponseRedirect(f"{inbox_address()}?{query}")


def _chosen(said: list[str]) -> dict[int, str]:
    """What was seen of each request, by its id: `12:seal`."""
    pairs = [each.partition(":") for each in said[:MOST_AT_ONCE]]
    return {int(pk): seal for pk, _colon, seal in pairs if pk.isdecimal() and len(pk) < 19}


def _decide_one(actor: Staff, request: ApprovalRequest, verdict: str, seen: str, comment: str) -> str:
    """Why it was not done; empty where it was."""
    try:
        done = decide(actor, request.pk, verdict, seen=seen, comment=comment, when=now(), within=request.kind)
    except LoyaltyError as refusal:
        return refusal.sentence()
    return refusal_of(done)


def refusal_of(done: ApprovalRequest) -> str:
    """Why the request could not be carried out; empty where that was not tried, or went well."""
    language = "zh-hans" if (get_language() or "").startswith("zh") else "en"
    return str(done.refusal.get(language, ""))
