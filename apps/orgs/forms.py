"""Forms of the tree, its people and its API clients."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import SetPasswordForm
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.orgs.models import ApiClient, OrgUnit, Persona, Program, Staff

DOES: dict[Persona, Any] = {
    Persona.MARKETING: _("Designs rules and point types, imports events, sees members masked and what points cost."),
    Persona.FINANCE: _("Sees what points cost and every entry of the ledger. Changes nothing."),
    Persona.REGIONAL_MANAGER: _("Sees the region's members and stores, adjusts points."),
    Persona.VICE_PRESIDENT: _("Reads what happens in its part of the group and decides on large requests."),
    Persona.MARKETING_HEAD: _("Reads rules and what they cost, and decides on what marketing changes."),
    Persona.SERVICE: _("Sees each member's whole timeline, enrols members, adjusts points, reveals personal data."),
    Persona.SHOP: _("Sends events and redeems points at the till. Does not browse members."),
    Persona.AUDITOR: _("Sees everything and every history. Changes nothing."),
    Persona.INTEGRATOR: _("Keeps API clients and imports. Sees no personal data."),
    Persona.ADMINISTRATOR: _("Keeps units, programmes, people and their roles. Sees no members."),
}


class ReasonForm(forms.ModelForm):
    """A form whose changes a policy may hold: then its reason is what others read."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, required=False, widget=UnfoldAdminTextInputWidget,
        help_text=_("Needed where others must say yes first: they read it."),
    )  # fmt: skip


class ProgramForm(ReasonForm):
    actor: Any

    class Meta:
        model = Program
        fields = ("name", "code", "unit", "currency", "time_zone", "allows_debt", "grace_days", "reviews_rules")


class NewUnitForm(forms.ModelForm):
    """A unit and where it goes."""

    actor: Any
    parent = forms.ModelChoiceField(
        OrgUnit.objects.none(), required=False, label=_("Belongs to"), widget=UnfoldAdminSelectWidget
    )

    class Meta:
        model = OrgUnit
        fields = ("kind", "name", "code", "opened_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parents = OrgUnit.objects.visible_to(self.actor, "orgs.add_orgunit")
        self.fields["parent"].queryset = parents  # type: ignore[attr-defined]
        if not self.actor.is_superuser:
            self.fields["parent"].required = True
            kinds = [(kind, label) for kind, label in OrgUnit.Kind.choices if kind != OrgUnit.Kind.GROUP]
            self.fields["kind"].choices = kinds  # type: ignore[attr-defined]


class UnitForm(forms.ModelForm):
    class Meta:
        model = OrgUnit
        fields = ("name", "opened_on", "is_active")


class StaffForm(forms.ModelForm):
    """A person's particulars; what they may do is not among them."""

    language = forms.ChoiceField(
        choices=[("", _("as the browser says")), *settings.LANGUAGES], required=False, label=_("Language"),
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip

    class Meta:
        model = Staff
        fields = ("username", "first_name", "last_name", "email", "unit", "manager", "language")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "unit" in self.fields:
            self.fields["unit"].required = True
        if "manager" in self.fields:
            # Nobody is their own manager: they are not offered to themselves.
            people: Any = self.fields["manager"].queryset  # type: ignore[attr-defined]
            self.fields["manager"].queryset = people.exclude(pk=self.instance.pk).order_by("username")  # type: ignore[attr-defined]


class NoticeSettingsForm(forms.Form):
    """How a person is told of what happens."""

    mails = forms.ChoiceField(choices=Staff.Mails.choices, label=_("E-mails"), widget=forms.RadioSelect)
    language = forms.ChoiceField(
        choices=[("", _("as the browser says")), *settings.LANGUAGES], required=False, label=_("Language"),
        widget=forms.RadioSelect,
    )  # fmt: skip


class GrantForm(forms.Form):
    """A job: a role on a unit where the person who asks is an administrator."""

    role = forms.ChoiceField(choices=Persona.choices, label=_("Role"), widget=UnfoldAdminSelectWidget)
    unit = forms.ModelChoiceField(
        OrgUnit.objects.none(), label=_("Org unit"), empty_label=None, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = OrgUnit.objects.visible_to(actor, "orgs.change_staff")  # type: ignore[attr-defined]


class ApiClientForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        choices=ApiClient.AccessScope.choices,
        label=_("May"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    reason = forms.CharField(
        label=_("Why"), required=False, max_length=1000, widget=UnfoldAdminTextInputWidget,
        help_text=_("Needed where an approval policy wants others to say yes first: they read it."),
    )  # fmt: skip

    class Meta:
        model = ApiClient
        fields = ("name", "code", "unit", "scopes")


class SignInForm(forms.Form):
    username = forms.CharField(label=_("User name"), max_length=150)
    password = forms.CharField(label=_("Password"), max_length=1000, strip=False, widget=forms.PasswordInput)


class CodeForm(forms.Form):
    """A code from the app, or a recovery code."""

    code = forms.CharField(label=_("Sign-in code"), max_length=20)


class PasswordForm(forms.Form):
    """The present password, asked again before something that weakens the sign-in."""

    password = forms.CharField(label=_("Your password"), max_length=1000, strip=False)


class OwnPasswordForm(SetPasswordForm):
    """The present password, which the service looks at, and a new one twice."""

    present = forms.CharField(label=_("Your present password"), max_length=1000, strip=False)
    field_order = ("present", "new_password1", "new_password2")
