"""Which rules ask for an attribute of members, or for a tag: drafts, and what is in force or will be."""

from collections.abc import Collection

from django.db.models import F, Q, QuerySet, TextField
from django.db.models.functions import Cast, Now

from apps.activity.segments import TAGS
from apps.conditions.tree import texts_asked
from apps.core.addresses import address
from apps.members.fields import ATTRIBUTES
from apps.members.uses import names_attributes
from apps.orgs.models import OrgUnit, Program
from apps.orgs.querysets import paths_above
from apps.rules.models import RuleVersion
from apps.segments.uses import Use, names_tags

STANDING = (
    Q(state=RuleVersion.State.DRAFT) | Q(ends_at__isnull=True) | (Q(ends_at__gt=Now()) & ~Q(ends_at=F("starts_at")))
)


@names_attributes
def rules_naming(unit: OrgUnit, key: str, values: frozenset[str]) -> list[str]:
    """The names of the rules of the programmes at, above and below `unit` that ask for it. One query."""
    name = f"{ATTRIBUTES}.{key}"
    found = _naming(unit, name).values_list("rule__name", "definition")
    return [rule for rule, definition in found if not values or values & texts_asked(definition, name)]


@names_tags
def rules_asking(program: Program, keys: Collection[str]) -> list[Use]:
    """The rules of the programmes at, above and below `program` that ask for one of the tags. One query."""
    wanted, found = set(keys), dict[tuple[str, int], Use]()
    for version in _naming(program.unit, TAGS).select_related("rule"):
        is_live = version.state != RuleVersion.State.DRAFT
        for key in texts_asked(version.definition, TAGS) & wanted:
            earlier = found.get((key, version.rule_id))
            page = address("rules_rule_change", version.rule_id)
            found[key, version.rule_id] = Use(
                key, version.rule.name, page, is_live or (earlier is not None and earlier.is_live)
            )
    return list(found.values())


def _naming(unit: OrgUnit, name: str) -> "QuerySet[RuleVersion]":
    """The versions near `unit` that stand and ask about the field of that name."""
    near = Q(rule__unit__path__in=paths_above(unit.path)) | Q(rule__unit__path__startswith=unit.path)
    written = RuleVersion.objects.annotate(written=Cast("definition", TextField()))
    found: QuerySet[RuleVersion] = written.filter(STANDING, near, written__contains=f'"{name}"')
    return found
