"""What the condition of a rule may ask about: the event, its lines, the member and what they did before."""

from apps.activity.fields import EVENT_FAMILIES, EVENT_FIELDS, EVENT_LINES, HISTORY_FIELDS, RECENT_FIELDS
from apps.conditions.catalogue import Catalogue
from apps.members.fields import MEMBER_FAMILIES, MEMBER_FIELDS

CATALOGUE = Catalogue(
    subjects=("event", "member"),
    fields=(*EVENT_FIELDS, *MEMBER_FIELDS, *HISTORY_FIELDS, *RECENT_FIELDS),
    families=(*EVENT_FAMILIES, *MEMBER_FAMILIES),
    lines=EVENT_LINES,
)
LINE_CATALOGUE = CATALOGUE.of_lines()
