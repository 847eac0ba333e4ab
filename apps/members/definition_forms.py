"""The form of an attribute's definition: its choices as rows, its limits as people write them."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import translation
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.members.allowed import allowed, plain
from apps.members.attribute_forms import AttributeField
from apps.members.choices import LONGEST_LABEL, LONGEST_VALUE, MOST_CHOICES
from apps.members.models import AttributeDefinition
from apps.orgs.models import OrgUnit

Type = AttributeDefinition.Type
LIMITS = {
    Type.TEXT: ("longest",), Type.INTEGER: ("least", "most"), Type.DECIMAL: ("least", "most"),
    Type.CHOICE: ("choices",), Type.CHOICES: ("choices",),
}  # fmt: skip
"""What may be said of each type besides its labels."""
PARTS = ("label", "label_zh", "value")
BLANK = 3
"""Empty rows below those of a new list."""


class ChoicesWidget(forms.Widget):
    """A row for each choice: both labels and what is kept; static/members/choices.js adds, moves and takes away rows."""

    template_name = "members/choices.html"

    def format_value(self, value: Any) -> Any:
        return value

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        known = list(value or ())
        return context | {
            "rows": [*known, *({} for _row in range(1 if known else BLANK))], "most": MOST_CHOICES,
            "longest_label": LONGEST_LABEL, "longest_value": LONGEST_VALUE,
        }  # fmt: skip

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[dict[str, str]]:
        """The rows that say anything; what is to be kept is the first label, where nothing else is written."""
        columns = [data.getlist(f"choices-{part}") if hasattr(data, "getlist") else [] for part in PARTS]
        rows = [tuple(text.strip() for text in row) for row in zip(*columns, strict=False)]
        return [
            {"value": value or (label or label_zh)[:LONGEST_VALUE], "label": label, "label_zh": label_zh}
            for label, label_zh, value in rows[: MOST_CHOICES + 1]
            if label or label_zh or value
        ]

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return False

    def use_required_attribute(self, initial: Any) -> bool:
        return False


class ChoicesField(forms.Field):
    widget = ChoicesWidget


class LimitField(forms.DecimalField):
    """A number as people write it, without the zeros of its column."""

    widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"})

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else plain(value)


class AttributeDefinitionForm(forms.ModelForm):
    actor: Any
    choices = ChoicesField(
        label=gettext_lazy("Choices"), required=False,
        help_text=gettext_lazy(
            "One language is enough: it then stands in for the other. What is kept stays when a label is changed."
        ),
    )  # fmt: skip
    least = LimitField(
        label=gettext_lazy("Smallest number"), required=False, max_digits=15, decimal_places=12,
        help_text=gettext_lazy("Empty: however small."),
    )  # fmt: skip
    most = LimitField(
        label=gettext_lazy("Largest number"), required=False, max_digits=15, decimal_places=12,
        help_text=gettext_lazy("Empty: however large."),
    )  # fmt: skip

    class Meta:
        model = AttributeDefinition
        fields = ("unit", "key", "label", "label_zh", "type")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in {"choices", "least", "most"} - set(LIMITS.get(Type(self.instance.type), ())):
                del self.fields[name]
        if "unit" in self.fields:
            unit: Any = self.fields["unit"]
            unit.queryset = unit.queryset.filter(kind__in=(OrgUnit.Kind.GROUP, OrgUnit.Kind.COMPANY))
            unit.empty_label = None
            for verb in ("add", "change", "view", "delete"):
                setattr(unit.widget, f"can_{verb}_related", False)


def shown_in(definition: AttributeDefinition, language: str) -> dict[str, Any]:
    """The attribute as the form of a member shows it in that language, and as a refusal would say what it may be."""

    class Shown(forms.Form):
        use_required_attribute = False

    with translation.override(language):
        form = Shown(prefix=language)
        form.fields["shown"] = AttributeField(definition)
        field = form["shown"]
        return {
            "language": language, "label": field.label, "help": field.help_text, "control": str(field),
            "id": field.id_for_label, "allowed": allowed(definition, language),
        }  # fmt: skip
