"""Which rules ask for an attribute of members: drafts, and what is in force or will be."""

from django.db.models import F, Q, TextField
from django.db.models.functions import Cast, Now

from apps.conditions.tree import texts_asked
from apps.members.fields import ATTRIBUTES
from apps.members.uses import names_attributes
from apps.orgs.models import OrgUnit
from apps.orgs.querysets import paths_above
from apps.rules.models import RuleVersion

STANDING = (
    Q(state=RuleVersion.State.DRAFT) | Q(ends_at__isnull=True) | (Q(ends_at__gt=Now()) & ~Q(ends_at=F("starts_at")))
)


@names_attributes
def rules_naming(unit: OrgUnit, key: str, values: frozenset[str]) -> list[str]:
    """The names of the rules of the programmes at, above and below `unit` that ask for it. One query."""
    name = f"{ATTRIBUTES}.{key}"
    near = Q(rule__unit__path__in=paths_above(unit.path)) | Q(rule__unit__path__startswith=unit.path)
    written = RuleVersion.objects.annotate(written=Cast("definition", TextField())).filter(
        STANDING, near, written__contains=f'"{name}"'
    )
    found = written.values_list("rule__name", "definition")
    return [rule for rule, definition in found if not values or values & texts_asked(definition, name)]
