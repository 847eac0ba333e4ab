"""The form of a unit's working time: the spans of each weekday, the days without work, the days worked in their place."""

import re
from collections.abc import Iterable
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from pydantic import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.conditions.types import WEEKDAYS
from apps.conditions.words import Words
from apps.orgs.calendar_forms import DATE
from apps.orgs.models import WorkingTime
from apps.orgs.working_time import MOST_SPANS, clock_text, parse_working_hours

SPAN = re.compile(r"(\d{1,2})[:：](\d{2})\s*[-–—~～至到]\s*(\d{1,2})[:：](\d{2})")
USUAL = "09:00–12:00, 13:00–18:00"
MOST_CLOSED, MOST_MOVED = 200, 100


def day_field(number: int) -> str:
    return f"day_{number}"


class WorkingTimeForm(forms.ModelForm):
    """`cleaned_data` holds `hours` as the model has them."""

    actor: Any
    day_1, day_2, day_3, day_4, day_5, day_6, day_7 = (
        forms.CharField(label=day.en, required=False, max_length=200, widget=UnfoldAdminTextInputWidget)
        for day in WEEKDAYS
    )
    closed = forms.CharField(
        label=gettext_lazy("Days without work"), required=False, max_length=6_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
        help_text=gettext_lazy(
            "One date a line, or the first and the last day of several, such as 2026-10-01 to 2026-10-07. Both belong to it."
        ),
    )  # fmt: skip
    moved = forms.CharField(
        label=gettext_lazy("Days worked in their place"), required=False, max_length=3_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=gettext_lazy("One date a line, and the weekday that it is worked like: 2026-10-10 Wednesday."),
    )  # fmt: skip

    class Meta:
        model = WorkingTime
        fields = ("unit", "time_zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = get_language() or "en"
        for number, words in enumerate(WEEKDAYS, 1):
            if day_field(number) in self.fields:
                self.fields[day_field(number)].label = words.in_language(language)
                self.fields[day_field(number)].widget.attrs["placeholder"] = _("no work")
        if "day_1" in self.fields:
            self.fields["day_1"].help_text = _(
                "From and to, several with commas: %(example)s. Empty is a day without work."
            ) % {"example": USUAL}
        if "unit" in self.fields:
            self.fields["unit"].empty_label = None  # type: ignore[attr-defined]
        self._fill(language)

    def _fill(self, language: str) -> None:
        if not self.instance.pk:
            self.initial.update({day_field(number): USUAL for number in range(1, 6)})
            return
        hours = parse_working_hours(self.instance.hours)
        for number in range(1, 8):
            spans = hours.week.get(number, ())
            said = ("–".join(clock_text(edge) for edge in span) for span in spans)
            self.initial[day_field(number)] = ", ".join(said)
        self.initial["closed"] = "\n".join(
            f"{each.first}" if each.first == each.last else f"{each.first} – {each.last}" for each in hours.closed
        )
        self.initial["moved"] = "\n".join(
            f"{each.on} {WEEKDAYS[each.as_ - 1].in_language(language)}" for each in hours.moved
        )

    def validate_unique(self) -> None:
        """Left to the service, which says it in words."""

    def clean_time_zone(self) -> str:
        zone = str(self.cleaned_data["time_zone"])
        if zone not in available_timezones():
            raise forms.ValidationError(_("“%(value)s” is no time zone. An example: Asia/Shanghai.") % {"value": zone})
        return zone

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        written: dict[str, Any] = {"week": {}, "closed": self._closed(data), "moved": self._moved(data)}
        for number in range(1, 8):
            written["week"][str(number)] = self._spans(day_field(number), data.get(day_field(number)) or "")
        if not self.errors:
            data["hours"] = parse_working_hours(written).to_json()
        return data

    def _spans(self, name: str, text: str) -> list[list[str]]:
        spans = [[f"{int(a):02}:{b}", f"{int(c):02}:{d}"] for a, b, c, d in SPAN.findall(text)]
        if re.search(r"\d", SPAN.sub("", text)) or (text.strip() and not spans):
            self.add_error(name, _("Write from and to, such as %(example)s.") % {"example": USUAL})
            return []
        if len(spans) > MOST_SPANS:
            self.add_error(name, _("A day has six spans at most."))
            return []
        try:
            parse_working_hours({"week": {"1": spans}})
        except ValidationError as error:
            is_order = error.errors()[0]["type"] == "wrong_order"
            self.add_error(
                name,
                _("Each span begins after the one before has ended, and ends after it begins.")
                if is_order
                else _("There is no such time of day. From 00:00 to 24:00."),
            )
            return []
        return spans

    def _closed(self, data: dict[str, Any]) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        lines = _lines(data.get("closed"))
        if len(lines) > MOST_CLOSED:
            self.add_error("closed", _("At most 200 lines."))
            return []
        for line in lines:
            dates = DATE.findall(line)
            each = {"first": dates[0], "last": dates[-1]} if dates else {}
            is_whole = len(dates) in (1, 2) and not re.search(r"\d", DATE.sub("", line))
            if not is_whole or not _is_right({"closed": [each]}):
                self.add_error("closed", _("“%(line)s” is not a date, nor two in order.") % {"line": line})
                return []
            found.append(each)
        return found

    def _moved(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        lines = _lines(data.get("moved"))
        if len(lines) > MOST_MOVED:
            self.add_error("moved", _("At most 100 lines."))
            return []
        for line in lines:
            date, _space, rest = line.replace("：", " ").replace(":", " ").replace("=", " ").partition(" ")
            weekday = weekday_called(rest.strip())
            each = {"on": date, "as": weekday}
            if weekday is None or not _is_right({"moved": [each]}):
                self.add_error("moved", _("“%(line)s” is not a date and a weekday.") % {"line": line})
                return []
            if any(other["on"] == date for other in found):
                self.add_error("moved", _("%(date)s stands here twice.") % {"date": date})
                return []
            found.append(each)
        return found


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def _is_right(part: dict[str, Any]) -> bool:
    try:
        parse_working_hours({"week": {}, **part})
    except ValidationError:
        return False
    return True


def weekday_called(text: str, days: Iterable[Words] = WEEKDAYS) -> int | None:
    """The weekday of that name in either language, its first three letters, or its number; None where it is none."""
    wanted = text.casefold()
    for number, words in enumerate(days, 1):
        english = words.en.casefold()
        names = {english, english[:3], words.zh, words.zh.replace("周", "星期"), str(number)}
        if wanted in names:
            return number
    return None
