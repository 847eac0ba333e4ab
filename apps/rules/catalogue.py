"""What the condition of a rule may ask about: the event, its lines, the member and what they did before."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from apps.activity.fields import EVENT_FAMILIES, EVENT_FIELDS, EVENT_LINES, FRIEND_FIELDS, HISTORY_FIELDS, RECENT_FIELDS
from apps.conditions.catalogue import Catalogue, Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.members.fields import MEMBER_FAMILIES, MEMBER_FIELDS
from apps.points.fields import POINTS_FIELDS
from apps.segments.catalogue import MEMBERS, OTHERS

__all__ = ["CATALOGUE", "LINE_CATALOGUE", "MEMBERS", "OTHERS", "by_name", "knowing"]

CATALOGUE = Catalogue(
    subjects=("event", "member"),
    fields=(*EVENT_FIELDS, *FRIEND_FIELDS, *MEMBER_FIELDS, *HISTORY_FIELDS, *POINTS_FIELDS, *RECENT_FIELDS),
    families=(*EVENT_FAMILIES, *MEMBER_FAMILIES),
    lines=EVENT_LINES,
)
SPECIAL_DAYS = "event.special_days"
LINE_CATALOGUE = CATALOGUE.of_lines()


def knowing(
    special_days: Mapping[str, str], attributes: Iterable[Field] = (), catalogue: Catalogue = CATALOGUE
) -> Catalogue:
    """The catalogue of a programme: it knows its special days, their names by code, and no others; and the attributes of
    its members that are defined."""
    return catalogue.closed(SPECIAL_DAYS, [(code, Words(name, name)) for code, name in special_days.items()]).extend(
        fields=attributes
    )


ANYTHING = r"(?s:.*)"


def by_name(attributes: Iterable[Field]) -> tuple[Field, ...]:
    """The attributes as a rule that was checked long ago is told in words: called as they are today, and asked whatever
    the rule asks."""
    return tuple(replace(each, type=Type.ANY, is_defined=False, others=ANYTHING) for each in attributes)
