"""The history of a row in words: who changed what, when and why, old beside new; and any two versions compared.

Models keep their history with `HistoricalRecords`; service verbs name the author and the reason. Only what the
reader may see is named: a foreign key to a row beyond their reach stays unnamed.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import models
from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

PAGE = 50

Words = Mapping[str, Callable[[Any], str]]


@dataclass(frozen=True)
class Change:
    """One field, before and after."""

    label: str
    old: str
    new: str


@dataclass(frozen=True)
class Version:
    """One row of history, newest first in lists; `changes` are against the version before it."""

    pk: int
    when: datetime
    who: str
    why: str
    kind: str
    changes: tuple[Change, ...]

    @property
    def sentence(self) -> str:
        return {"+": _("Created"), "~": _("Changed"), "-": _("Deleted")}[self.kind]


class HistoryReader:
    """Reads the history of rows of one model for one reader.

    `words` tells for a field how its value reads (a rule's definition as a sentence, say); `exclude` are fields of
    no interest; `reason` puts a stored reason into the reader's language.
    """

    def __init__(
        self,
        model: type[models.Model],
        reader: Any,
        *,
        words: Words | None = None,
        exclude: Iterable[str] = (),
        reason: Callable[[str], str] = str,
    ) -> None:
        self.model, self.reader, self.words, self.reason = model, reader, words or {}, reason
        self.history: Any = model.history.model  # type: ignore[attr-defined]
        hidden = {*exclude, model._meta.pk.name}
        self.fields = [
            field
            for field in self.history.tracked_fields
            if field.name not in hidden and not isinstance(field, models.BinaryField)
        ]

    def versions(self, pk: Any, before: int | None = None) -> tuple[list[Version], bool]:
        """A page of versions, newest first, and whether there are older ones."""
        records = self._records(pk)
        if before is not None:
            records = records.filter(history_id__lt=before)
        rows = list(records[: PAGE + 1])
        names = self._names(rows)
        pairs = zip(rows, [*rows[1:], None], strict=True)
        versions = [self._version(row, older, names) for row, older in pairs]
        return versions[:PAGE], len(rows) > PAGE

    def compare(self, pk: Any, one: int, other: int) -> tuple[Version, Version, list[Change]] | None:
        """Two versions and every field in which they differ, the older on the left; None when either is missing."""
        rows = list(self._records(pk).filter(history_id__in=[one, other]))
        if len(rows) != 2:
            return None
        newer, older = rows
        names = self._names(rows)
        changes = self._changes(older, newer, names)
        return self._version(older, None, names), self._version(newer, None, names), changes

    def _records(self, pk: Any) -> Any:
        records = self.history.objects.filter(**{self.model._meta.pk.name: pk})
        return records.select_related("history_user").order_by("-history_id")

    def _version(self, row: Any, older: Any, names: dict[Any, str]) -> Version:
        changes = tuple(self._changes(older, row, names)) if older is not None else ()
        user = row.history_user
        who = (user.get_full_name() or user.get_username()) if user else _("The studio")
        why = self.reason(row.history_change_reason) if row.history_change_reason else ""
        return Version(row.history_id, row.history_date, who, why, row.history_type, changes)

    def _changes(self, old: Any, new: Any, names: dict[Any, str]) -> list[Change]:
        found = []
        for field in self.fields:
            before, after = getattr(old, field.attname), getattr(new, field.attname)
            if before != after:
                found.append(
                    Change(
                        capfirst(str(field.verbose_name)),
                        self._in_words(field, before, names),
                        self._in_words(field, after, names),
                    )
                )
        return found

    def _names(self, rows: list[Any]) -> dict[Any, str]:
        """The names of the rows that foreign keys point to, as far as the reader may see them."""
        names: dict[Any, str] = {}
        for field in self.fields:
            if not field.is_relation:
                continue
            keys = {getattr(row, field.attname) for row in rows} - {None}
            related = field.remote_field.model
            if keys and hasattr(related, "scope"):
                visible = related._default_manager.filter(pk__in=keys).visible_to(self.reader)
                names |= {(related, row.pk): str(row) for row in visible}
        return names

    def _in_words(self, field: Any, value: Any, names: dict[Any, str]) -> str:
        if field.name in self.words:
            return self.words[field.name](value)
        if value is None or value == "":
            return _("empty")
        if field.is_relation:
            return names.get((field.remote_field.model, value), _("beyond your reach"))
        if field.choices:
            return str(dict(field.flatchoices).get(value, value))
        return in_words(value)


def in_words(value: Any) -> str:
    """A plain value as a person of the language in force writes it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return formats.date_format(timezone.localtime(value), "DATETIME_FORMAT")
    if isinstance(value, date):
        return formats.date_format(value, "DATE_FORMAT")
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) if value else _("empty")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    return str(formats.localize(value, use_l10n=True))
