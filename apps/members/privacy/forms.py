"""Forms of consents, own data, erasure and blocked identifiers."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from apps.members.models import ConsentPurpose, Erasure, Identifier, Member
from apps.members.privacy.consenting import WORDINGS, wording_of
from apps.members.privacy.errors import PointsRemain
from apps.members.services.looking import PURPOSES


class EraseForm(forms.Form):
    """Why, what becomes of the points, and the member's number typed again: it cannot be undone."""

    why = forms.ChoiceField(label=gettext_lazy("Why"), choices=Erasure.Why.choices, widget=UnfoldAdminSelectWidget)
    forfeits = forms.BooleanField(
        label=gettext_lazy("The points that are left are forfeited"), required=False, widget=UnfoldBooleanWidget
    )
    number = forms.CharField(
        label=gettext_lazy("Type the member’s number"), widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("It cannot be undone."),
    )  # fmt: skip

    def __init__(self, *args: Any, member: Member, points: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.member, self.points = member, points

    def clean_forfeits(self) -> bool:
        forfeits: bool = self.cleaned_data["forfeits"]
        if self.points and not forfeits:
            raise forms.ValidationError(PointsRemain(points=f"{self.points:,}").sentence())
        return forfeits

    def clean_number(self) -> str:
        number: str = self.cleaned_data["number"].strip().removeprefix("#")
        if number != str(self.member.pk):
            raise forms.ValidationError(_("This is not the number of this member."))
        return number


class OwnDataForm(forms.Form):
    purpose = forms.ChoiceField(label=gettext_lazy("What for"), widget=UnfoldAdminSelectWidget)
    language = forms.ChoiceField(
        label=gettext_lazy("Language of the labels"), choices=settings.LANGUAGES, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = get_language() or "en"
        self.fields["purpose"].choices = [(code, words.in_language(language)) for code, words in PURPOSES.items()]  # type: ignore[attr-defined]
        self.fields["language"].initial = language


class LiftForm(forms.Form):
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=Identifier.Kind.choices, widget=UnfoldAdminSelectWidget
    )
    value = forms.CharField(
        label=gettext_lazy("What they show"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("How it is known that they came themselves. It stays on record."),
    )  # fmt: skip


class ConsentPurposeForm(forms.ModelForm):
    """A purpose with the wording of now; another wording becomes the next version."""

    actor: Any
    wording = forms.CharField(
        label=gettext_lazy("Wording in English"), widget=UnfoldAdminTextareaWidget(attrs={"rows": 4})
    )
    wording_zh = forms.CharField(
        label=gettext_lazy("Wording in Chinese"), widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=gettext_lazy("What exactly people agree to. Whoever agreed to an earlier wording stays with that version."),
    )  # fmt: skip

    class Meta:
        model = ConsentPurpose
        fields = ("unit", "key", "label", "label_zh", "position", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            now = wording_of(self.instance)
            self.initial.update({name: getattr(now, name) for name in WORDINGS})
