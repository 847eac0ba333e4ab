"""The form of a special day, with its days as plain fields."""

import re
from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from pydantic import ValidationError
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from apps.conditions.types import WEEKDAYS
from apps.orgs.calendar import MOST_RANGES, OnDates, parse_days
from apps.orgs.forms import ReasonForm
from apps.orgs.models import SpecialDay

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class SpecialDayForm(ReasonForm):
    """`cleaned_data` holds `days` as the model has them."""

    actor: Any
    days_kind = forms.ChoiceField(
        label=gettext_lazy("Which days"), widget=UnfoldAdminSelectWidget,
        choices=[
            ("on_dates", gettext_lazy("these dates")), ("each_week", gettext_lazy("a day of every week")),
            ("each_month", gettext_lazy("a day of every month")), ("each_year", gettext_lazy("a day of every year")),
        ],
    )  # fmt: skip
    ranges = forms.CharField(
        label=gettext_lazy("Dates"), required=False, max_length=5_000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=gettext_lazy(
            "One date a line, or the first and the last day of several, such as 2026-02-10 to 2026-02-20. Both belong to it."
        ),
    )  # fmt: skip
    month = forms.TypedChoiceField(
        label=gettext_lazy("Month"), required=False, coerce=int, empty_value=None, widget=UnfoldAdminSelectWidget,
        choices=[(number, str(number)) for number in range(1, 13)],
    )  # fmt: skip
    day = forms.IntegerField(
        label=gettext_lazy("Day of the month"), required=False, min_value=1, max_value=31,
        widget=UnfoldAdminIntegerFieldWidget, help_text=gettext_lazy("Where a month has no such day, it does not come."),
    )  # fmt: skip
    weekday = forms.TypedChoiceField(
        label=gettext_lazy("Day of the week"), required=False, coerce=int, empty_value=None,
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip

    class Meta:
        model = SpecialDay
        fields = ("program", "name", "code")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = get_language() or "en"
        if "weekday" in self.fields:
            named = [(number, words.in_language(language)) for number, words in enumerate(WEEKDAYS, 1)]
            self.fields["weekday"].choices = named  # type: ignore[attr-defined]
        if "program" in self.fields:
            self.fields["program"].empty_label = None  # type: ignore[attr-defined]
        if self.instance.pk:
            days = parse_days(self.instance.days)
            self.initial["days_kind"] = days.kind
            if isinstance(days, OnDates):
                self.initial["ranges"] = "\n".join(
                    f"{each.first}" if each.first == each.last else f"{each.first} – {each.last}"
                    for each in days.ranges
                )
            else:
                self.initial.update(days.model_dump(exclude={"kind"}))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        kind = data.get("days_kind")
        if kind is None:
            return data
        names = {"each_year": ("month", "day"), "each_month": ("day",), "each_week": ("weekday",)}.get(kind, ())
        written: dict[str, Any] = {"kind": kind} | {name: data.get(name) for name in names}
        if kind == "on_dates":
            written["ranges"] = self._ranges(data.get("ranges") or "")
        for name in names:
            if written[name] is None and name not in self.errors:
                self.add_error(name, _("Fill this in."))
        if not self.errors:
            try:
                data["days"] = parse_days(written).model_dump(mode="json")
            except ValidationError:
                self.add_error("day", _("This month has no such day."))
        return data

    def _ranges(self, text: str) -> list[dict[str, str]]:
        """A line holds one date, or two with anything but figures between them."""
        found: list[dict[str, str]] = []
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if not 1 <= len(lines) <= MOST_RANGES:
            self.add_error("ranges", _("Write 1 to 100 lines of dates."))
            return found
        for line in lines:
            dates = DATE.findall(line)
            each = {"first": dates[0], "last": dates[-1]} if dates else {}
            is_whole = len(dates) in (1, 2) and not re.search(r"\d", DATE.sub("", line))
            try:
                parse_days({"kind": "on_dates", "ranges": [each if is_whole else {}]})
            except ValidationError:
                self.add_error("ranges", _("This line is not understood: %(line)s") % {"line": line[:40]})
            else:
                found.append(each)
        return found
