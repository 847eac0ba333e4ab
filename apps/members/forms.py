"""Forms of the member page. Personal data is typed in and never filled in: what is kept stays hidden."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from apps.members.attribute_forms import DefinedAttributes, field_name
from apps.members.models import Identifier, Member

FORGETTING = {"name": "forgets_name", "birth_on": "forgets_birthday"}
"""Which box forgets which particular."""


class AttributesField(forms.CharField):
    """Free attributes, one a line: `level = 3`. Numbers, true or false and lists of texts are read as such, all
    else as text.

    >>> AttributesField().clean("level = 3\\nfavourite store = Lakeside")
    {'level': 3, 'favourite store': 'Lakeside'}
    """

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return "\n".join(f"{name} = {_written(each)}" for name, each in value.items())

    def clean(self, value: Any) -> dict[str, Any]:
        found = {}
        for line in super().clean(value).splitlines():
            name, equals, text = (part.strip() for part in line.partition("="))
            if not line.strip():
                continue
            if not (name and equals):
                raise forms.ValidationError(_("One attribute a line, for example: level = 3"))
            found[name] = _read(text)
        return found


def _read(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return value if is_list or isinstance(value, bool | int | float | str) else text


def _written(value: Any) -> str:
    """A text that would be read as something else stands in quotation marks."""
    if isinstance(value, str) and _read(value) == value and value == value.strip() and "\n" not in value:
        return value
    return json.dumps(value, ensure_ascii=False)


class MemberForm(DefinedAttributes):
    """Particulars; an empty name or birthday leaves what is known, until a box says to forget it."""

    actor: Any
    name = forms.CharField(
        label=pgettext_lazy("of a person", "Name"), required=False, widget=UnfoldAdminTextInputWidget
    )
    birth_on = forms.DateField(label=gettext_lazy("Birthday"), required=False, widget=UnfoldAdminDateWidget)
    forgets_name = forms.BooleanField(
        label=gettext_lazy("Forget the name that is known"), required=False, widget=UnfoldBooleanWidget
    )
    forgets_birthday = forms.BooleanField(
        label=gettext_lazy("Forget the birthday that is known"), required=False, widget=UnfoldBooleanWidget
    )
    attributes = AttributesField(
        label=gettext_lazy("Other attributes"), required=False,
        help_text=gettext_lazy(
            "One a line, for example: level = 3, or several texts: tags = [\"regular\", \"vegan\"]. Rules can ask for them. "
            "Nothing that names the person belongs here."
        ),
    )  # fmt: skip

    referrer = forms.CharField(
        label=gettext_lazy("Recommended by"), required=False, widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Card, phone, e-mail or number of the member who brought them. Rules can thank both."),
    )  # fmt: skip

    class Meta:
        model = Member
        fields = ("home_unit",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "name" in self.fields:
            named = {each.key for each in (*self.definitions, *self.retired)}
            self.initial["attributes"] = {name: value for name, value in self.held.items() if name not in named}
            self.initial.update({field_name(each): self.held.get(each.key) for each in self.definitions})
            self.fields["name"].help_text = _("Leave it empty to keep the name that is known.")
            self.fields["birth_on"].help_text = _("Leave it empty to keep the birthday that is known.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, box in FORGETTING.items():
            if cleaned.get(name) and cleaned.get(box):
                self.add_error(name, _("Leave this empty, or do not forget what is known."))
        return cleaned

    def particulars(self) -> dict[str, Any]:
        """What was typed, and empty what is to be forgotten; a name or birthday left empty is not among it."""
        found: dict[str, Any] = (
            {"home_unit": self.cleaned_data["home_unit"]} if "home_unit" in self.cleaned_data else {}
        )
        if "attributes" in self.cleaned_data:
            found["attributes"] = self.all_attributes()
        for name, box in FORGETTING.items():
            if self.cleaned_data.get(name) or self.cleaned_data.get(box):
                found[name] = self.cleaned_data.get(name)
        if self.cleaned_data.get("referrer"):
            found["referrer"] = self.cleaned_data["referrer"]
        return found


class NewMemberForm(MemberForm):
    """A new member, with what names them."""

    card = forms.CharField(label=gettext_lazy("Card"), required=False, widget=UnfoldAdminTextInputWidget)
    phone = forms.CharField(label=gettext_lazy("Phone"), required=False, widget=UnfoldAdminTextInputWidget)
    email = forms.CharField(label=gettext_lazy("E-mail"), required=False, widget=UnfoldAdminTextInputWidget)
    external = forms.CharField(label=gettext_lazy("External number"), required=False, widget=UnfoldAdminTextInputWidget)

    def identifiers(self) -> list[tuple[str, str]]:
        return [(kind, self.cleaned_data[kind]) for kind in Identifier.Kind.values if self.cleaned_data.get(kind)]


class IdentifierForm(forms.Form):
    """One more identifier."""

    kind = forms.ChoiceField(choices=Identifier.Kind.choices)
    value = forms.CharField(max_length=200)
