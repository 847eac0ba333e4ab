"""Signing in and out of it: the name and password, the second step, and the person's own two settings of it."""

from base64 import b32encode
from datetime import datetime, timedelta
from typing import Any

import segno
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import login, update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from apps.core import policy
from apps.core.admin import actor_of
from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.orgs import services
from apps.orgs.devices import mark_device, visitor_of
from apps.orgs.errors import TooManyTries
from apps.orgs.forms import CodeForm, OwnPasswordForm, PasswordForm, SignInForm
from apps.orgs.models import Staff
from apps.orgs.why import KNOWN, home_of, unit_of_row, why

BACKEND = "apps.orgs.auth.RoleBackend"
PENDING = "second_step"
PENDING_FOR = timedelta(minutes=10)


@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Name and password; leads on to the second step, or in."""
    if admin.site.has_permission(request):
        return HttpResponseRedirect(_goal(request))
    form = SignInForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        name, password = form.cleaned_data["username"], form.cleaned_data["password"]
        try:
            person = services.staff_for_password(name, password, visitor_of(request, name), now())
        except LoyaltyError as refusal:
            return _bare(request, "orgs/sign_in.html", _("Sign in"), form, refusal)
        if not services.has_second_step(person):
            return _let_in(request, person)
        request.session[PENDING] = [person.pk, person.get_session_auth_hash(), now().isoformat()]
        return HttpResponseRedirect(f"{reverse('second_step')}?{urlencode({'next': _goal(request)})}")
    return _bare(request, "orgs/sign_in.html", _("Sign in"), form)


@sensitive_post_parameters("code")
def second_step(request: HttpRequest) -> HttpResponse:
    """The code from the app, or a recovery code, of the person whose password was right."""
    person = _pending_person(request)
    if person is None:
        return HttpResponseRedirect(reverse("admin:login"))
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        visitor = visitor_of(request, person.get_username())
        try:
            services.pass_second_step(person, form.cleaned_data["code"], visitor, now())
        except LoyaltyError as refusal:
            return _bare(request, "orgs/second_step.html", _("Second step"), form, refusal)
        return _let_in(request, person)
    return _bare(request, "orgs/second_step.html", _("Second step"), form)


def two_step(request: HttpRequest) -> HttpResponse:
    """Whether the person signs in in two steps, and the way to change it."""
    return _two_step_page(request)


def begin_two_step(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        services.begin_second_step(actor_of(request))
    except LoyaltyError as refusal:
        messages.error(request, refusal.sentence())
    return HttpResponseRedirect(reverse("two_step"))


@sensitive_post_parameters("code")
def confirm_two_step(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _two_step_page(request, code_form=form)
    try:
        codes = services.confirm_second_step(actor_of(request), form.cleaned_data["code"])
    except LoyaltyError as refusal:
        form.add_error("code", refusal.sentence())
        return _two_step_page(request, code_form=form)
    return _inside(request, "orgs/recovery_codes.html", _("Recovery codes"), {"codes": codes})


@sensitive_post_parameters("password")
def end_two_step(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    form = PasswordForm(request.POST)
    if not form.is_valid():
        return _two_step_page(request, password_form=form)
    try:
        services.turn_off_second_step(actor_of(request), form.cleaned_data["password"], now())
    except LoyaltyError as refusal:
        form.add_error("password", refusal.sentence())
        return _two_step_page(request, password_form=form)
    messages.success(request, _("Two-step sign-in is off."))
    return HttpResponseRedirect(reverse("two_step"))


@sensitive_post_parameters()
def change_password(request: HttpRequest) -> HttpResponse:
    """The person's own password. This session goes on, the others end."""
    person = actor_of(request)
    form = OwnPasswordForm(person, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        present, wanted = form.cleaned_data["present"], form.cleaned_data["new_password1"]
        try:
            services.change_own_password(person, present, wanted, now())
        except LoyaltyError as refusal:
            form.add_error("present", refusal.sentence())
        else:
            update_session_auth_hash(request, Staff.objects.get(pk=person.pk))
            messages.success(request, _("Your password is changed. Other devices are signed out."))
            return HttpResponseRedirect(reverse("admin:index"))
    return _inside(request, "orgs/change_password.html", _("Change password"), {"form": form})


def why_not(request: HttpRequest) -> HttpResponse:
    """Why the person may not do something: `?permission=points.adjust_points&row=members.member:7`, or at the unit that
    they belong to. A row that they do not see answers like one that there is not."""
    permission, row = request.GET.get("permission", ""), request.GET.get("row", "")
    person = actor_of(request)
    label, _colon, pk = row.partition(":")
    unit = unit_of_row(person, label, pk) if row else home_of(person)
    if permission not in KNOWN or unit is None:
        raise Http404
    return _inside(request, "orgs/why.html", _("Why can I not?"), {"why": why(person, permission, unit)})


def _pending_person(request: HttpRequest) -> Staff | None:
    """Whose password was right a short while ago in this session, and is still the same."""
    pk, password_hash, at = request.session.get(PENDING, (None, "", ""))
    if pk is None or now() - datetime.fromisoformat(at) > PENDING_FOR:
        return None
    person = Staff.objects.filter(pk=pk, is_active=True, is_staff=True).first()
    is_same = person is not None and constant_time_compare(password_hash, person.get_session_auth_hash())
    return person if is_same else None


def _let_in(request: HttpRequest, person: Staff) -> HttpResponse:
    """A new session for `person`, on a device that is theirs from now on."""
    request.session.pop(PENDING, None)
    login(request, person, backend=BACKEND)
    response = HttpResponseRedirect(_goal(request))
    mark_device(response, person)
    if person.language and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, person.language, max_age=settings.LANGUAGE_COOKIE_AGE,
            samesite="Lax", secure=settings.LANGUAGE_COOKIE_SECURE,
        )  # fmt: skip
    return response


def _goal(request: HttpRequest) -> str:
    """Where the person was going, if it is one of our pages; else home."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else reverse("admin:index")


def _bare(
    request: HttpRequest, template: str, title: str, form: Any, refusal: LoyaltyError | None = None
) -> HttpResponse:
    is_too_many = isinstance(refusal, TooManyTries)
    context = {"title": title, "form": form, "refusal": refusal and refusal.sentence(), "goal": _goal(request)}
    response = TemplateResponse(request, template, context, status=429 if is_too_many else 200)
    response.headers["Content-Security-Policy"] = policy.PLAIN
    if refusal is not None and is_too_many:
        response.headers["Retry-After"] = str(refusal.data["seconds"])
    return response


def _inside(request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), "title": title, **context})


def _two_step_page(request: HttpRequest, **forms: Any) -> HttpResponse:
    person = actor_of(request)
    device = services.unconfirmed_device(person)
    context = {
        "is_on": services.has_second_step(person),
        "code_form": CodeForm(), "password_form": PasswordForm(), **forms,
    }  # fmt: skip
    if device is not None:
        picture = segno.make(device.config_url).svg_inline(border=2, omitsize=True, svgclass=None, lineclass=None)
        # Drawn by segno from our own address; the secret in it is letters and digits.
        context["picture"] = mark_safe(picture)  # noqa: S308
        context["secret"] = b32encode(device.bin_key).decode()
    return _inside(request, "orgs/two_step.html", _("Two-step sign-in"), context)
