"""The form by which a programme says by what it recognises its members: kinds of identifier, in their order."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.formats import number
from apps.members.errors import UnknownIdentifierKind
from apps.members.identifiers import is_kind
from apps.members.merging.models import MOST_KINDS
from apps.members.models import Identifier, MatchingOrder
from apps.members.querysets import kinds_in_use
from apps.members.words import kind_in_words

HELP = gettext_lazy(
    "Who enrols or stands in a file is looked for by the first kind first, and by the next where that names nobody."
)
USUAL = [Identifier.Kind.CARD.value, Identifier.Kind.PHONE.value, Identifier.Kind.EMAIL.value]
"""By what members are recognised where no programme says it: a new order begins with that."""


class KindsWidget(forms.Widget):
    """A row for each kind, and a field for one that is not in use yet; static/members/choices.js adds, moves and takes away
    rows."""

    template_name = "members/kinds.html"
    choices: Sequence[tuple[str, str]] = ()

    def format_value(self, value: Any) -> Any:
        return value

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        rows = [*(value or ()), ""]
        offered = dict(self.choices)
        return context | {
            "rows": rows, "most": MOST_KINDS,
            "offered": [*offered.items(), *((kind, kind) for kind in dict.fromkeys(rows) if kind and kind not in offered)],
        }  # fmt: skip

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[str]:
        """The rows that say anything, each kind once, where it stands first."""
        rows = data.getlist(name) if hasattr(data, "getlist") else data.get(name, ())
        return list(dict.fromkeys(text for row in rows if (text := row.strip())))

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return False

    def use_required_attribute(self, initial: Any) -> bool:
        return False


class KindsField(forms.Field):
    widget = KindsWidget

    def validate(self, value: Sequence[str]) -> None:
        if not value:
            raise ValidationError(_("Say at least one kind of identifier."))
        if len(value) > MOST_KINDS:
            raise ValidationError(_("At most %(most)s kinds of identifier.") % {"most": number(MOST_KINDS)})
        for kind in value:
            if not is_kind(kind):
                raise ValidationError(f"“{kind}”: {UnknownIdentifierKind(kind='kinds').sentence()}")


class MatchingOrderForm(forms.ModelForm):
    actor: Any
    kinds = KindsField(label=gettext_lazy("Recognised by"), help_text=HELP)

    class Meta:
        model = MatchingOrder
        fields = ("program", "kinds", "only_verified", "enrols_known")
        help_texts = {"kinds": HELP}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kinds" in self.fields:
            if not self.instance.pk:
                self.initial["kinds"] = self.initial.get("kinds") or USUAL
            kinds = dict.fromkeys([*Identifier.Kind.values, *kinds_in_use(self.actor), *(self.instance.kinds or ())])
            widget: Any = self.fields["kinds"].widget
            widget.choices = [(kind, kind_in_words(kind)) for kind in kinds]
