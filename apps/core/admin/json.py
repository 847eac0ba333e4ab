"""JSON in fields that are only read: unfold colours it with styles inside the page, which the pages' policy forbids."""

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold import fields

from apps.core.history import in_words


def plain_json(value: Any, encoder: Any) -> SafeString:
    return format_html('<span class="studio-json">{}</span>', in_words(value))


fields.prettify_json = plain_json
