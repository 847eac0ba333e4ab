"""`{% why "points.adjust_points" member %}`: the link that says why something cannot be done here; nothing where it can."""

from typing import Any

from django import template
from django.template.context import Context

from apps.orgs.why import does_in_words, why_address

register = template.Library()


@register.inclusion_tag("orgs/why_link.html", takes_context=True)
def why(context: Context, permission: str, row: Any = None) -> dict[str, Any]:
    """Asks for the permission on the row; a page of a row that the person may act on shows no link."""
    may = context["request"].user.has_perm(permission, row)
    return {"address": "" if may else why_address(permission, row), "does": does_in_words(permission)}
