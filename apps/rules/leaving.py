"""Drafts that somebody wrote last: told when they leave."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from apps.orgs.leaving import Hanging, hanging
from apps.orgs.models import Staff
from apps.rules.models import RuleVersion


@hanging(order=30)
def drafts(person: Staff, reader: Staff, when: datetime) -> Iterable[Hanging]:
    """One query."""
    written = RuleVersion.objects.filter(changed_by=person, state=RuleVersion.State.DRAFT)
    yield Hanging(
        _("Drafts of rules that they wrote last"),
        written.count(),
        _("They stay; whoever may change the rule goes on with them."),
    )
