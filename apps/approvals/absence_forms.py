"""Forms of absences: one's own, and others' for administrators."""

import re
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
)

from apps.approvals.models import Delegation
from apps.core.clock import local_day
from apps.orgs.gate import kinds
from apps.orgs.models import Staff
from apps.orgs.querysets import colleagues_of, zone_of

IN_BRACKETS = re.compile(r"[(（]([^()（）]+)[)）]\s*$")


def kind_choices() -> list[tuple[str, str]]:
    """Every kind of request by name."""
    language = get_language() or "en"
    return [(code, kind.label.in_language(language)) for code, kind in kinds().items()]


def last_day_of(absence: Delegation, zone: ZoneInfo) -> date:
    """The last day that belongs to it."""
    return local_day(absence.ends_at - timedelta(seconds=1), zone)


def named(person: Staff) -> str:
    """A person as the box of the form takes them: “Wang Chen (w.chen)”."""
    return f"{person} ({person.username})" if str(person) != person.username else person.username


class OwnAbsenceForm(forms.Form):
    """When the person is away, and who decides in their place."""

    delegate = forms.CharField(label=gettext_lazy("Who stands in"), max_length=310)
    first_on = forms.DateField(label=gettext_lazy("First day away"))
    last_on = forms.DateField(label=gettext_lazy("Last day away"))
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Only for"), required=False, widget=forms.CheckboxSelectMultiple
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=200, required=False)

    def __init__(self, *args: Any, person: Staff, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        self.fields["kinds"].choices = kind_choices()  # type: ignore[attr-defined]

    def clean_delegate(self) -> Staff:
        """By the name they sign in with, alone or in brackets."""
        said = self.cleaned_data["delegate"].strip()
        found = IN_BRACKETS.search(said)
        names = {said, found[1].strip()} if found else {said}
        person: Staff | None = colleagues_of(self.person).filter(username__in=names).first()
        if person is None:
            raise forms.ValidationError(_("Nobody of that name works with you. Choose one of the list."))
        return person

    def clean_kinds(self) -> tuple[str, ...]:
        return tuple(self.cleaned_data["kinds"])


class AbsenceForm(forms.ModelForm):
    """The same for administrators; of one that is there, the last day and the reason can be changed."""

    actor: Any
    first_on = forms.DateField(label=gettext_lazy("First day away"), widget=UnfoldAdminSingleDateWidget)
    last_on = forms.DateField(label=gettext_lazy("Last day away"), widget=UnfoldAdminSingleDateWidget)
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Only for"), required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy("None chosen means every kind of request."),
    )  # fmt: skip

    class Meta:
        model = Delegation
        fields = ("person", "delegate", "reason")
        widgets = {"reason": UnfoldAdminTextInputWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        absence: Any = self.instance
        if absence.pk is None:
            self.fields["kinds"].choices = kind_choices()  # type: ignore[attr-defined]
            return
        for name in ("first_on", "kinds") if absence.ended_at is None else ("first_on", "kinds", "last_on"):
            self.fields.pop(name)
        self.initial["last_on"] = last_day_of(absence, zone_of(absence.person))
