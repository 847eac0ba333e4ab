"""The form of a point type, with its policy of expiry as plain fields; and the small forms that move points by hand."""

import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from apps.approvals.errors import EvidenceRefused
from apps.approvals.evidence import LARGEST, MOST_FILES, type_of
from apps.approvals.services.filing import File
from apps.members.importing.parts import OPTIONS
from apps.orgs.querysets import program_of
from apps.points.expiry import parse_policy
from apps.points.models import AdjustmentBatch, PointType, ReasonCode

MICROS = 1_000_000
POLICY = ("expiry_kind", "expiry_period", "expiry_plus_years", "expiry_plus_days", "expiry_days")


class PointTypeForm(forms.ModelForm):
    """`cleaned_data` holds `expiry` and `unit_cost_micros` as the model has them."""

    actor: Any
    expiry_kind = forms.ChoiceField(
        label=gettext_lazy("Points expire"), widget=UnfoldAdminSelectWidget,
        choices=[
            ("never", gettext_lazy("never")),
            ("after_days", gettext_lazy("a number of days after earning")),
            ("end_of", gettext_lazy("at the end of the month, quarter or year")),
            ("inactivity", gettext_lazy("after a time without activity")),
        ],
    )  # fmt: skip
    expiry_period = forms.ChoiceField(
        label=gettext_lazy("End of the"), required=False, widget=UnfoldAdminSelectWidget,
        choices=[("month", gettext_lazy("month")), ("quarter", gettext_lazy("quarter")), ("year", gettext_lazy("year"))],
    )  # fmt: skip
    expiry_plus_years = forms.IntegerField(
        label=gettext_lazy("plus years"), required=False, min_value=0, max_value=50,
        widget=UnfoldAdminIntegerFieldWidget,
    )  # fmt: skip
    expiry_plus_days = forms.IntegerField(
        label=gettext_lazy("plus days"), required=False, min_value=0, max_value=36_500,
        widget=UnfoldAdminIntegerFieldWidget,
    )  # fmt: skip
    expiry_days = forms.IntegerField(
        label=gettext_lazy("Number of days"), required=False, min_value=1, max_value=36_500,
        widget=UnfoldAdminIntegerFieldWidget,
    )  # fmt: skip
    unit_cost = forms.DecimalField(
        label=gettext_lazy("Cost of a point"), min_value=0, max_value=1_000_000, decimal_places=6,
        initial=Decimal("0.01"), widget=UnfoldAdminDecimalFieldWidget,
        help_text=gettext_lazy("In the programme's currency, for example 0.01. It counts for points earned from now on."),
    )  # fmt: skip

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, required=False, widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Needed where others must say yes first: they read it."),
    )  # fmt: skip

    class Meta:
        model = PointType
        fields = ("program", "code", "name", "kind", "pending_days", "funder")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.instance
        if kind.pk:
            policy = parse_policy(kind.expiry).model_dump()
            self.initial["expiry_kind"] = policy.pop("kind")
            self.initial.update({f"expiry_{name}": value for name, value in policy.items()})
            self.initial["unit_cost"] = Decimal(kind.unit_cost_micros) / MICROS

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        kind = data.get("expiry_kind")
        if kind in ("after_days", "inactivity") and not data.get("expiry_days") and "expiry_days" not in self.errors:
            self.add_error("expiry_days", _("Say how many days."))
        if not self.errors:
            policy: dict[str, Any] = {"kind": kind}
            if kind in ("after_days", "inactivity"):
                policy["days"] = data["expiry_days"]
            elif kind == "end_of":
                policy |= {
                    "period": data.get("expiry_period") or "month",
                    "plus_years": data.get("expiry_plus_years") or 0,
                    "plus_days": data.get("expiry_plus_days") or 0,
                }
            data["expiry"] = parse_policy(policy).model_dump()
            data["unit_cost_micros"] = int(data["unit_cost"] * MICROS)
        return data


class FilesInput(forms.FileInput):
    """Several files at once."""

    allow_multiple_selected = True

    def __init__(self) -> None:
        super().__init__({"multiple": True, "class": "studio-files", "accept": ".png,.jpg,.jpeg,.pdf,.txt,.csv,.xlsx"})


class FilesField(forms.FileField):
    """Evidence: `cleaned_data` has a list of `File`, each checked by what is in it."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[File]:
        sent = [each for each in data or [] if each]
        if len(sent) > MOST_FILES:
            raise forms.ValidationError(EvidenceRefused(why="count").sentence())
        return [self._checked(super(FilesField, self).clean(each, initial)) for each in sent]

    def _checked(self, sent: Any) -> File:
        try:
            if sent.size > LARGEST:
                raise EvidenceRefused(why="size")
            file = File(sent.name, sent.read())
            type_of(file.name, file.content)
        except EvidenceRefused as refusal:
            raise forms.ValidationError(f"{sent.name}: {refusal.sentence()}") from None
        return file


class AskForm(forms.Form):
    """A reason, evidence, and a key of its own for each form that was opened: sent twice, it asks once."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Whoever decides reads it, and it stays beside the points for ever, with your name."),
    )  # fmt: skip
    evidence = FilesField(
        label=gettext_lazy("Evidence"), required=False,
        help_text=gettext_lazy("Up to ten files of 5 MB: pictures (PNG, JPEG), PDF, text or tables (CSV, XLSX)."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("key", uuid.uuid4())


class ReverseForm(AskForm):
    """What is undone is not chosen here."""


class ReasonSelect(UnfoldAdminSelectWidget):
    """Reason codes that say for which programme and direction they are: `moving.js` offers those that fit."""

    def __init__(self, reasons: Iterable[ReasonCode]) -> None:
        self.known = {str(reason.pk): reason for reason in reasons}
        super().__init__()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        reason = self.known.get(str(value))
        if reason is not None:
            option["attrs"] |= {
                "data-program": reason.program_id, "data-direction": reason.direction,
                "data-evidence": "yes" if reason.needs_evidence else "",
            }  # fmt: skip
        return option


class TypeSelect(UnfoldAdminSelectWidget):
    """Point types that say of which programme they are."""

    def __init__(self, kinds: Iterable[PointType]) -> None:
        self.programs = {str(kind.pk): kind.program_id for kind in kinds}
        super().__init__()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        option["attrs"]["data-program"] = self.programs.get(str(value), "")
        return option


class AdjustForm(AskForm):
    """Points to add or, below zero, to take; of the member's own programme unless another is chosen."""

    point_type = forms.ModelChoiceField(PointType.objects.none(), label=gettext_lazy("Point type"), empty_label=None)
    points = forms.IntegerField(
        label=gettext_lazy("Points"), min_value=-1_000_000_000, max_value=1_000_000_000,
        widget=UnfoldAdminIntegerFieldWidget, help_text=gettext_lazy("With a minus sign to take points away."),
    )  # fmt: skip
    reason_code = forms.ModelChoiceField(ReasonCode.objects.none(), label=gettext_lazy("Reason code"), required=False)
    field_order = ("key", "point_type", "points", "reason_code", "reason", "evidence")

    def clean_points(self) -> int:
        points: int = self.cleaned_data["points"]
        if not points:
            raise forms.ValidationError(_("Say how many: above zero to add points, below zero to take them."))
        return points

    def clean(self) -> dict[str, Any]:
        """`reason_code` becomes the code itself; one of another programme is refused."""
        data = super().clean() or {}
        reason, kind = data.get("reason_code"), data.get("point_type")
        if reason is not None and kind is not None and reason.program_id != kind.program_id:
            self.add_error("reason_code", _("This reason belongs to another programme."))
        data["reason_code"] = reason.code if reason is not None else ""
        return data

    def __init__(self, *args: Any, actor: Any, member: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = PointType.objects.visible_to(actor).select_related("program").order_by("program__name", "name")
        choice: Any = self.fields["point_type"]
        choice.widget = TypeSelect(kinds)
        choice.queryset = kinds
        choice.label_from_instance = lambda kind: f"{kind.name}, {kind.program.name}"
        program = program_of(member.home_unit)
        self.initial.setdefault("point_type", next((kind.pk for kind in kinds if kind.program == program), None))
        self._offer_reasons(actor)

    def _offer_reasons(self, actor: Any) -> None:
        reasons = ReasonCode.objects.visible_to(actor).filter(is_active=True).select_related("program").order_by("name")
        if not reasons:
            del self.fields["reason_code"]
            return
        choice: Any = self.fields["reason_code"]
        choice.widget = ReasonSelect(reasons)
        choice.queryset = reasons
        several = len({reason.program_id for reason in reasons}) > 1
        choice.label_from_instance = lambda reason: f"{reason.name}, {reason.program.name}" if several else reason.name


class BatchForm(forms.ModelForm):
    """A file of adjustments and the programme whose points it moves. The service looks into the file."""

    actor: Any
    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=UnfoldAdminFileFieldWidget,
        help_text=gettext_lazy(
            "A CSV text, UTF-8 or GB18030, of 100,000 rows and 20 MB at most, with a header row: points; member with "
            "member_kind (card, phone, email; card where it is empty), or member_id; and as needed point_type, "
            "reason_code and note."
        ),
        error_messages={"required": gettext_lazy("Choose a file.")},
    )

    class Meta:
        model = AdjustmentBatch
        fields = ("program",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = list(self.fields["program"].queryset[:2]) if "program" in self.fields else []  # type: ignore[attr-defined]
        if len(offered) == 1:
            self.fields["program"].initial = offered[0]


class OpeningForm(forms.Form):
    """How the points of a file of members count where the file itself does not say; see `services.opening`."""

    title = gettext_lazy("Opening points")
    earned = forms.ChoiceField(
        label=gettext_lazy("They count as earned on"), required=False, widget=UnfoldAdminSelectWidget,
        choices=[("import", gettext_lazy("the day of the import")), ("joined", gettext_lazy("the day the member joined"))],
        help_text=gettext_lazy("Where no column tells the day. Their time runs from then."),
    )  # fmt: skip
    expires_on = forms.DateField(
        label=gettext_lazy("Last day of all of them"), required=False, widget=UnfoldAdminDateWidget,
        help_text=gettext_lazy("Empty: they last as their point type says."),
    )  # fmt: skip
    cost = forms.DecimalField(
        label=gettext_lazy("Cost of one of them"), required=False, min_value=0, max_value=1_000_000, decimal_places=6,
        widget=UnfoldAdminDecimalFieldWidget, help_text=gettext_lazy("Empty: what their point type says."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, options: Mapping[str, Any], prefix: str) -> None:
        cost = options.get("cost_micros")
        started = {
            "earned": options.get("earned") or "import",
            "expires_on": options.get("expires_on"),
            "cost": None if cost is None else (Decimal(cost) / MICROS).normalize(),
        }
        super().__init__(data, initial=started, prefix=prefix)

    def options(self) -> dict[str, Any]:
        told, found = self.cleaned_data, {"earned": self.cleaned_data["earned"] or "import"}
        if told["expires_on"]:
            found["expires_on"] = told["expires_on"].isoformat()
        return found if told["cost"] is None else {**found, "cost_micros": int(told["cost"] * MICROS)}


OPTIONS["points"] = OpeningForm
