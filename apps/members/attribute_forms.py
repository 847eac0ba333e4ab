"""Fields of forms for attributes that are defined: each with the control of its type, checked by its definition."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDateWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from apps.members.attributes import value_of
from apps.members.changes import attribute_text
from apps.members.errors import AttributeRefused
from apps.members.models import LONGEST_TEXT, AttributeDefinition

Type = AttributeDefinition.Type


def field_name(definition: AttributeDefinition) -> str:
    """What the form calls the field: two companies may call different things alike."""
    return f"attribute_{definition.pk}"


class AttributeField(forms.Field):
    """`cleaned_data` has the value as members hold it; None where nothing was said. What is held already (`held`) may
    stay, whatever the definition says by now."""

    def __init__(self, definition: AttributeDefinition, held: Any = None, *, of: str = "") -> None:
        self.definition, self.held = definition, held
        label = capfirst(str(definition))
        super().__init__(
            label=f"{label} ({of})" if of else label,
            required=False,
            help_text=definition.description,
            widget=_widget(definition, held),
        )

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, bool):
            return "yes" if value else "no"
        return value if value is None or isinstance(value, list) else str(value)

    def clean(self, value: Any) -> Any:
        if self.held is not None and value == self.prepare_value(self.held):
            return self.held
        try:
            return value_of(self.definition, value)
        except AttributeRefused as refusal:
            raise forms.ValidationError(refusal.sentence()) from None


def _widget(definition: AttributeDefinition, held: Any) -> Any:
    match definition.type:
        case Type.DATE:
            return UnfoldAdminDateWidget()
        case Type.BOOLEAN:
            return UnfoldAdminSelectWidget(choices=[("", _("not known")), ("yes", _("yes")), ("no", _("no"))])
        case Type.CHOICE:
            return UnfoldAdminSelectWidget(choices=[("", _("not known")), *_offered(definition, held)])
        case Type.CHOICES:
            return UnfoldAdminCheckboxSelectMultipleWidget(choices=_offered(definition, held))
        case Type.TEXT:
            return UnfoldAdminTextInputWidget(attrs={"maxlength": definition.longest or LONGEST_TEXT})
    figures = "numeric" if definition.type == Type.INTEGER else "decimal"
    return UnfoldAdminTextInputWidget(attrs={"inputmode": figures, "maxlength": 30, "autocomplete": "off"})


def _offered(definition: AttributeDefinition, held: Any) -> list[tuple[str, str]]:
    """The choices, and what the member holds that is none of them."""
    offered = {each.value: each.words.in_language(get_language() or "en") for each in definition.options}
    kept = held if isinstance(held, list) else [] if held is None else [held]
    return [*offered.items(), *((str(each), attribute_text(each) or "") for each in kept if str(each) not in offered)]


class DefinedAttributes(forms.ModelForm):
    """A form of members with a field for each attribute in use that they may have; made by `with_attributes`."""

    definitions: Sequence[AttributeDefinition] = ()
    retired: Sequence[AttributeDefinition] = ()
    held: Mapping[str, Any] = {}
    """What the member held when the form was opened."""

    def clean(self) -> dict[str, Any]:
        """Of a new member, only what members of the chosen unit have, all of it that is asked for."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        unit, is_new = data.get("home_unit"), not self.instance.pk
        for definition in self.definitions:
            name = field_name(definition)
            said = data.get(name)
            has_it = not is_new or (unit is not None and unit.path.startswith(definition.unit.path))
            if said is not None and not has_it and unit is not None:
                self.add_error(name, _("Members of %(unit)s do not have this.") % {"unit": unit})
            elif said is None and has_it and is_new and definition.is_required and name not in self.errors:
                self.add_error(name, _("Fill this in: it is asked of every new member."))
        typed = {each.key for each in (*self.definitions, *self.retired)} & set(data.get("attributes") or ())
        if typed:
            told = _("These have a place of their own, or are no longer in use: %(names)s.")
            self.add_error("attributes", told % {"names": ", ".join(sorted(typed))})
        return data

    def all_attributes(self) -> dict[str, Any]:
        """All attributes of the member: those of the fields, the free ones, and what is no longer in use as it was."""
        kept = {each.key: self.held[each.key] for each in self.retired if each.key in self.held}
        said = {each.key: self.cleaned_data.get(field_name(each)) for each in self.definitions}
        free: dict[str, Any] = self.cleaned_data["attributes"]
        return free | kept | {key: value for key, value in said.items() if value is not None}


def with_attributes(
    form: type[forms.ModelForm], definitions: Sequence[AttributeDefinition], held: Mapping[str, Any]
) -> type[forms.ModelForm]:
    """`form` with a field for each of `definitions` that is in use; `held` are the member's attributes."""
    in_use = [each for each in definitions if each.is_active]
    several = len({each.unit_id for each in in_use if each.unit.depth > 1}) > 1
    fields = {
        field_name(each): AttributeField(
            each, held.get(each.key), of=each.unit.name if several and each.unit.depth > 1 else ""
        )
        for each in in_use
    }
    retired = [each for each in definitions if not each.is_active]
    return type(form.__name__, (form,), {"definitions": in_use, "retired": retired, "held": held, **fields})
