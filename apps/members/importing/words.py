"""Findings, decisions and changes of a file's rows as people read them."""

from collections.abc import Mapping

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.members.importing.findings import words_of


def finding_in_words(code: str, value: str = "", labels: Mapping[str, str] | None = None) -> str:
    """What was found, with the value at fault where one was kept; `labels` names attributes by their keys."""
    said = words_of(code).in_language(get_language() or "en")
    head, _colon, key = code.partition(":")
    if head == "decided" or not (value or key):
        return said
    about = (labels or {}).get(key, key)
    if about and value:
        return _("%(finding)s: %(attribute)s “%(value)s”") % {"finding": said, "attribute": about, "value": value}
    return _("%(finding)s: %(value)s") % {"finding": said, "value": about or value}
