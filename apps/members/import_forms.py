"""The forms of a file of members: bringing it, how it is written, what its columns mean."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from apps.members.importing.layout import DELIMITERS, ENCODINGS
from apps.members.importing.mapping import LEVEL, Column, ColumnMapping
from apps.members.importing.models import ImportMapping, MemberImport
from apps.members.importing.parts import OPTIONS
from apps.members.importing.rows import mapping_of
from apps.members.importing.samples import Sample, offered, shown_cell
from apps.members.importing.shown import levels_read, stateable
from apps.members.importing.targets import Group, Meaning, Target, stores_of, targets_of
from apps.members.words import kind_in_words

ORDER = ("match_1", "match_2", "match_3")
MOST_LEVELS = 12
DELIMITER_WORDS = {
    ",": gettext_lazy("comma"), "\t": gettext_lazy("tab"), ";": gettext_lazy("semicolon"), "|": gettext_lazy("bar"),
}  # fmt: skip
ENCODING_WORDS = {
    "utf-8": "UTF-8", "gb18030": "GB18030 (GBK)", "utf-16": "UTF-16", "big5": "Big5", "shift_jis": "Shift JIS",
    "cp1252": "Windows-1252",
}  # fmt: skip


class OfferingInput(UnfoldAdminTextInputWidget):
    """A text, with known ones offered."""

    offered: Sequence[str] = ()

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        listed = f"{name}-offered"
        field = super().render(name, value, {**(attrs or {}), "list": listed, "autocomplete": "off"}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((each,) for each in self.offered))
        return format_html('{}<datalist id="{}">{}</datalist>', field, listed, options)


class BringForm(forms.ModelForm):
    """A file, whose members it names, and where it comes from."""

    actor: Any
    file = forms.FileField(
        label=gettext_lazy("File"), widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
        help_text=gettext_lazy(
            "A table as CSV text in any common encoding, or an Excel workbook (its first sheet), at most 512 MB. "
            "Nothing is taken in before you have seen what each row will become."
        ),
        error_messages={"required": gettext_lazy("Choose a file; one larger than 512 MB is not taken in.")},
    )  # fmt: skip
    source = forms.CharField(
        label=gettext_lazy("Where it comes from"), max_length=60, required=False, widget=OfferingInput,
        help_text=gettext_lazy(
            "The system that wrote it, for example “old cards”. What its columns mean is remembered under this name."
        ),
    )  # fmt: skip

    class Meta:
        model = MemberImport
        fields = ("program", "source")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "program" not in self.fields:
            return
        programs = list(self.fields["program"].queryset[:2])  # type: ignore[attr-defined]
        if len(programs) == 1:
            self.fields["program"].initial = programs[0]
        known = ImportMapping.objects.visible_to(self.actor).order_by("name").values_list("name", flat=True)
        self.fields["source"].widget.offered = list(dict.fromkeys(known))


class LayoutForm(forms.Form):
    """How the file is written, where that was not recognised."""

    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"), widget=UnfoldAdminSelectWidget,
        choices=[(each, ENCODING_WORDS[each]) for each in ENCODINGS],
    )  # fmt: skip
    delimiter = forms.ChoiceField(
        label=gettext_lazy("Between two columns"), widget=UnfoldAdminSelectWidget,
        choices=[(each, DELIMITER_WORDS[each]) for each in DELIMITERS],
    )  # fmt: skip
    header_row = forms.IntegerField(
        label=gettext_lazy("Row that names the columns"),
        min_value=1,
        max_value=50,
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A tab alone is a choice here, and no blank to be cut off.
        self.fields["delimiter"].strip = False  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class ValueRow:
    """A text of the file, how often it stands in the first rows, and what it means."""

    text: str
    times: int
    meaning: str


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """A column on the page."""

    place: int
    name: str
    target: str
    is_required: bool
    is_note: bool
    cells: str
    values: list[ValueRow]
    listed: str
    """The list of meanings that its target offers."""
    takes_values: bool


class MappingForm(forms.Form):
    """What the columns mean. The columns themselves are read from what was sent, in `chosen`."""

    source = forms.CharField(
        label=gettext_lazy("Remember this for files from"), max_length=60, required=False, widget=OfferingInput,
        help_text=gettext_lazy("The next file of this source is read in the same way. Empty: it is not remembered."),
    )  # fmt: skip
    match_1 = forms.ChoiceField(
        label=gettext_lazy("A member is recognised by"), widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("Whether it was verified makes no difference to a file."),
    )  # fmt: skip
    match_2 = forms.ChoiceField(label=gettext_lazy("then by"), required=False, widget=UnfoldAdminSelectWidget)
    match_3 = forms.ChoiceField(label=gettext_lazy("and then by"), required=False, widget=UnfoldAdminSelectWidget)
    home = forms.ChoiceField(
        label=gettext_lazy("Home of members without a store"), required=False, widget=UnfoldAdminSelectWidget
    )
    mobiles_only = forms.BooleanField(
        label=gettext_lazy("Phone numbers without a country's code are Chinese mobiles"), required=False,
        widget=UnfoldBooleanWidget, help_text=gettext_lazy("Others are refused then, or left out where no phone is required."),
    )  # fmt: skip
    mode = forms.ChoiceField(
        label=pgettext_lazy("of an import", "What comes in"), choices=MemberImport.Mode.choices, widget=UnfoldAdminSelectWidget,
    )  # fmt: skip

    def __init__(self, data: Any, *, job: MemberImport, reader: Any, sample: Sample) -> None:
        self.job, self.sample, known = job, sample, mapping_of(job)
        self.groups = targets_of(job.program, known, job.layout["columns"])
        order = [*known.match, "", "", ""]
        super().__init__(data, initial={
            "source": job.source, "home": known.home, "mobiles_only": known.mobiles_only, "mode": job.mode,
            **dict(zip(ORDER, order, strict=False)),
        })  # fmt: skip
        kinds = [target.value.partition(":")[2] for target in self.groups[0].targets]
        for name in ORDER:
            nothing = [] if name == "match_1" else [("", "—")]
            self._choose(name, nothing + [(kind, kind_in_words(kind)) for kind in kinds])
        self.stores = stores_of(job.program)
        whole = _("%(unit)s, the programme's own") % {"unit": job.program.unit}
        self._choose("home", [("", whole), *((each.value, each.words) for each in self.stores)])
        sources = ImportMapping.objects.visible_to(reader).filter(program=job.program).order_by("name")
        self.fields["source"].widget.offered = list(sources.values_list("name", flat=True))
        for key, words in stateable(job, self._levels(known)):
            self.fields[f"stated-{key}"] = forms.IntegerField(
                label=words, required=False, initial=job.stated.get(key), widget=UnfoldAdminIntegerFieldWidget
            )
        self.part_forms = {
            code: form(data, options=known.parts.get(code, {}), prefix=code) for code, form in OPTIONS.items()
        }

    def _levels(self, known: ColumnMapping) -> list[str]:
        """What the members' levels are called, as far as the first rows tell."""
        column = known.reading(f"attribute:{LEVEL}")
        if column is None:
            return []
        texts = self.sample.values.get(column.name, [])[:MOST_LEVELS]
        return levels_read(self.job.program, column, [text for text, _times in texts])

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def is_valid(self) -> bool:
        return all([super().is_valid(), *(form.is_valid() for form in self.part_forms.values())])

    def fields_of_rows(self) -> Iterator[Any]:
        return (self[name] for name in (*ORDER, "home", "mobiles_only"))

    def fields_of_totals(self) -> Iterator[Any]:
        return (self[name] for name in self.fields if name.startswith("stated-"))

    def stated(self) -> dict[str, int]:
        return {
            name.removeprefix("stated-"): value
            for name, value in self.cleaned_data.items()
            if name.startswith("stated-") and value is not None
        }

    def chosen(self) -> ColumnMapping:
        """The mapping that was sent."""
        told = self.cleaned_data
        return ColumnMapping(
            columns=tuple(self._columns()), match=tuple(dict.fromkeys(told[name] for name in ORDER if told[name])),
            home=told["home"], mobiles_only=told["mobiles_only"],
            parts={code: form.options() for code, form in self.part_forms.items()},
        )  # fmt: skip

    def _columns(self) -> Iterator[Column]:
        sent: Any = self.data
        known = {target.value for group in self.groups for target in group.targets}
        for place, name in enumerate(self.job.layout["columns"]):
            target = sent.get(f"target-{place}", "")
            texts, meanings = sent.getlist(f"text-{place}"), sent.getlist(f"meaning-{place}")
            values = {t.strip()[:200]: m.strip()[:200] for t, m in zip(texts, meanings, strict=False) if t.strip()}
            yield Column(
                name=name, target=target if target in known else "", is_required=f"required-{place}" in sent,
                values={text: meaning for text, meaning in values.items() if meaning},
            )  # fmt: skip

    def rows(self) -> list[ColumnRow]:
        """The columns as the page shows them: as they were sent, else as they are kept."""
        kept = mapping_of(self.job)
        columns = list(self._columns()) if self.is_bound else list(kept.columns)
        return [self._row(place, column) for place, column in enumerate(columns)]

    def _row(self, place: int, column: Column) -> ColumnRow:
        sample = self.sample
        target = self.targets.get(column.target)
        seen = dict(offered(sample, column.name, column.target))
        texts = dict.fromkeys([*column.values, *seen])
        cells = [row[place] for row in sample.rows if place < len(row) and row[place]]
        return ColumnRow(
            place, column.name, column.target, column.is_required, column.name.startswith("#"),
            " · ".join(dict.fromkeys(shown_cell(column.target, text) for text in cells[:3])),
            [ValueRow(text, seen.get(text, 0), column.values.get(text, "")) for text in texts],
            self.lists.get(column.target, ""), target is not None and target.takes_values,
        )  # fmt: skip

    @property
    def targets(self) -> dict[str, Target]:
        return {target.value: target for group in self.groups for target in group.targets}

    @property
    def lists(self) -> dict[str, str]:
        """The id of the list of meanings of each target that has one."""
        return {target.value: listed for listed, target in self._listed()}

    def meanings(self) -> list[tuple[str, Sequence[Meaning]]]:
        """The lists of meanings, by their ids."""
        return [(listed, target.meanings or ()) for listed, target in self._listed()]

    def _listed(self) -> list[tuple[str, Target]]:
        found = [target for target in self.targets.values() if target.meanings]
        return [(f"meanings-{number}", target) for number, target in enumerate(found)]

    def options(self) -> list[tuple[Group, list[tuple[Target, str]]]]:
        """The choices of a column: each target with the id of its list."""
        lists = self.lists
        return [
            (group, [(each, lists.get(each.value, "")) for each in group.targets])
            for group in self.groups
            if group.targets
        ]
