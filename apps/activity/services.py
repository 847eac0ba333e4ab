"""Sources of events. Events themselves are recorded by the main road (`apps.rules.pipeline`)."""

from apps.activity.models import Source
from apps.orgs.models import OrgUnit


def source_for(code: str, unit: OrgUnit) -> Source:
    """The source called `code`, made on first use; safe when two make it at once."""
    source, _made = Source.objects.get_or_create(code=code, defaults={"unit": unit})
    return source
