"""Whether a programme may go live on its data: a part of its page."""

from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.scope import reach_of
from apps.members.quality.board import VIEW
from apps.members.quality.standing import standings_of
from apps.orgs.models import Program
from apps.orgs.program_page import Part, part


@part(permission="members.view_qualitygate")
def quality(reader: Any, program: Program) -> Part | None:
    """Only for who reaches all of its members."""
    if not reach_of(reader, VIEW).covers(program.unit.path):
        return None
    (standing,) = standings_of([program])
    missing = [(each.sentence.in_language(get_language() or "en"), each.share, each.rule) for each in standing.missing]
    return Part(_("Ready to go live?"), "members/quality/program.html", {"standing": standing, "missing": missing})
