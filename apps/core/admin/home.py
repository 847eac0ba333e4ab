"""The home page."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.core.clock import now
from apps.core.home import panels_for


def home_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the home page shows to the signed-in person; unfold asks for it by name."""
    person: Any = request.user
    return {**context, "title": _("Home"), "person": person, "panels": panels_for(person, now())}
