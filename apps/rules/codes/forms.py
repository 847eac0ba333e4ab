"""The form of a batch with its prizes as rows, and the form by which a code is redeemed by hand."""

import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.orgs.forms import ReasonForm
from apps.orgs.models import OrgUnit
from apps.rules.codes.drawing import MOST_PRIZES, OddsFault, faults_of
from apps.rules.codes.models import CodeBatch

BLANK = 2
"""Empty rows below those that are filled."""
PARTS = ("name", "wins", "out_of")

Row = tuple[int, dict[str, Any]]
"""A prize and the number of its row on the page, from 0."""


def rows_of(sent: Any) -> list[Row]:
    """The rows of prizes that were sent, without those left empty; numbers as they are where they are none."""
    columns = [sent.getlist(f"prizes-{part}") if hasattr(sent, "getlist") else [] for part in PARTS]
    found = []
    for place, (name, wins, out_of) in enumerate(zip(*columns, strict=False)):
        if name.strip() or wins.strip() or out_of.strip():
            found.append((place, {"name": name.strip(), "wins": _whole(wins), "out_of": _whole(out_of)}))
    return found[: MOST_PRIZES + 1]


def _whole(text: str) -> int | str:
    plain = text.strip().replace(",", "").replace("，", "")
    return int(plain) if plain.isascii() and plain.isdecimal() and len(plain) < 12 else text


def faults_in_rows(rows: list[Row]) -> list[tuple[int | None, str, str]]:
    """What is wrong with the rows: the place on the page, the field, and a sentence in the language in force."""
    language = get_language() or "en"
    faults: list[OddsFault] = faults_of([prize for _place, prize in rows])
    return [
        (None if fault.row is None else rows[fault.row][0], fault.field, fault.message.in_language(language))
        for fault in faults
    ]


class PrizesWidget(forms.Widget):
    """Rows of a prize's name and its odds; static/rules/codes.js adds rows and checks while one types."""

    template_name = "rules/codebatch_prizes.html"

    def format_value(self, value: Any) -> Any:
        return value

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        filled = [prize for _place, prize in value] if value and isinstance(value[0], tuple) else list(value or ())
        context["rows"] = [*filled, *({} for _ in range(BLANK))]
        context["most"] = MOST_PRIZES
        return context

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[Row]:
        return rows_of(data)

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return False

    def use_required_attribute(self, initial: Any) -> bool:
        return False


class PrizesField(forms.Field):
    widget = PrizesWidget

    def clean(self, value: list[Row]) -> list[dict[str, Any]]:
        faults = faults_in_rows(value or [])
        if faults:
            raise forms.ValidationError(
                [
                    message if row is None else _("Prize %(number)s: %(what)s") % {"number": row + 1, "what": message}
                    for row, _field, message in faults
                ]
            )
        return [prize for _place, prize in value or []]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or ()) != [prize for _place, prize in data or ()]


class BatchForm(ReasonForm):
    actor: Any
    prizes = PrizesField(
        label=gettext_lazy("Prizes and odds"), required=False,
        help_text=gettext_lazy("What is left over draws nothing. Without any prize every code is worth the same."),
    )  # fmt: skip

    class Meta:
        model = CodeBatch
        fields = ("name", "code", "program", "unit", "size", "uses", "starts_on", "ends_on", "prizes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.state != CodeBatch.State.DRAFT:
            del self.fields["prizes"]
        for name in ("program", "unit"):
            if name in self.fields:
                self.fields[name].empty_label = None  # type: ignore[attr-defined]
                for verb in ("add", "change", "view", "delete"):
                    setattr(self.fields[name].widget, f"can_{verb}_related", False)


class RedeemForm(forms.Form):
    """A code and where it is redeemed; a key of its own for each form that was opened: sent twice, it redeems once."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    code = forms.CharField(
        label=gettext_lazy("Code to redeem"), max_length=40,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
        help_text=gettext_lazy("Twelve characters; small letters, spaces and dashes do not matter."),
    )  # fmt: skip
    unit = forms.ModelChoiceField(
        OrgUnit.objects.none(), label=gettext_lazy("Org unit"), empty_label=None, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, actor: Any, member: Any, permission: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("key", uuid.uuid4())
        choice: Any = self.fields["unit"]
        choice.queryset = OrgUnit.objects.visible_to(actor, permission).order_by("path")
        choice.label_from_instance = lambda unit: unit.name
        self.initial.setdefault("unit", member.home_unit_id)
