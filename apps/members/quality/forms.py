"""Forms of data quality: a rule, the gate of a programme, and the one field that puts a member right."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.members.attribute_forms import AttributeField
from apps.members.identifiers import LONGEST_NAME
from apps.members.models import AttributeDefinition, Member
from apps.members.quality.checks import ATTRIBUTE, FIELDS, KINDS
from apps.members.quality.fixing import definition_for
from apps.members.quality.models import QualityRule
from apps.orgs.models import OrgUnit


class QualityRuleForm(forms.ModelForm):
    """Of a new rule; who it is for, and what it asks, stays."""

    actor: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "field" in self.fields:
            self.fields["field"] = forms.ChoiceField(
                label=_("field"), choices=fields_offered(self.actor), widget=UnfoldAdminSelectWidget
            )
        if "unit" in self.fields:
            kinds = (OrgUnit.Kind.GROUP, OrgUnit.Kind.COMPANY)
            self.fields["unit"].queryset = self.fields["unit"].queryset.filter(kind__in=kinds)  # type: ignore[attr-defined]

    class Meta:
        model = QualityRule
        fields = ("unit", "field", "check_code", "wanted_pct", "weight", "is_active")


def fields_offered(actor: Any) -> list[tuple[str, str]]:
    language = get_language() or "en"
    defined = AttributeDefinition.objects.visible_to(actor).filter(is_active=True).order_by("position", "pk")
    named = {f"{ATTRIBUTE}{each.key}": str(each) for each in defined}
    return [*((code, words.in_language(language)) for code, (words, _checks) in FIELDS.items()), *named.items()]


def value_field(
    rule: QualityRule, member: Member, definitions: Sequence[AttributeDefinition], stores: Any
) -> forms.Field | None:
    """The one field that puts `member` right; None where their company has none."""
    if rule.field.startswith(ATTRIBUTE):
        definition = definition_for(rule, member, definitions)
        if definition is None:
            return None
        field: forms.Field = AttributeField(definition)
    elif rule.field == "home_unit":
        field = forms.ModelChoiceField(stores, widget=UnfoldAdminSelectWidget)
    elif rule.field == "birthday":
        field = forms.DateField(widget=UnfoldAdminDateWidget(attrs={"type": "date"}))
    else:
        most = LONGEST_NAME if rule.field not in KINDS else 200
        field = forms.CharField(max_length=most, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}))
    field.required = True
    return field


class FixForm(forms.Form):
    """The field is called `value`; each member's form has its own prefix."""

    def __init__(self, field: forms.Field, label: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field.label = label
        self.fields["value"] = field

    @property
    def value_field(self) -> forms.BoundField:
        return self["value"]
