"""What is to be doubted about the tags that a rule asks for: that there is no such tag, or that it is no longer fresh."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from apps.activity.segments import TAGS
from apps.conditions.tree import texts_asked
from apps.core.addresses import address
from apps.orgs.models import Program
from apps.orgs.querysets import paths_above
from apps.rules.models import RuleVersion
from apps.segments.reading import doubtful, tags_named


@dataclass(frozen=True)
class Doubt:
    """A sentence, and where it can be put right."""

    said: str
    address: str


def doubts_of(program: Program, definition: Any, when: datetime) -> list[Doubt]:
    """The doubts about one definition. Two queries at most; none where it asks for no tag."""
    keys = texts_asked(definition, TAGS)
    if not keys:
        return []
    tags = tags_named(program, keys)
    found = []
    for tag in doubtful(tags.values(), when):
        if tag.last_error:
            said = _("The tag “%(tag)s” could not be brought up to date: %(why)s") % {
                "tag": tag, "why": tag.get_last_error_display(),
            }  # fmt: skip
        elif tag.refreshed_at is None:
            said = _("The tag “%(tag)s” was never refreshed, so no member holds it yet.") % {"tag": tag}
        else:
            said = _("The tag “%(tag)s” is stale: it is older than it may be.") % {"tag": tag}
        found.append(Doubt(said, address("segments_tag_change", tag.pk)))
    automatic = {key for key, tag in tags.items() if tag.is_automatic}
    for key in sorted(_given_by_nobody(program, keys - automatic - _given_here(definition))):
        if key in tags:
            said = _("No rule gives the tag “%(tag)s”: only those hold it to whom somebody gives it by hand.") % {
                "tag": tags[key]
            }
            found.append(Doubt(said, address("segments_tag_change", tags[key].pk)))
        else:
            said = _("No tag is called “%(key)s”, and no rule gives it: nobody will hold it.") % {"key": key}
            found.append(Doubt(said, address("segments_tag_changelist")))
    return found


def _given_here(definition: Any) -> set[str]:
    return {effect["tag"] for effect in definition.get("effects", ()) if effect.get("effect") == "tag"}


def _given_by_nobody(program: Program, keys: Collection[str]) -> set[str]:
    """Those that no version of a rule near the programme gives."""
    if not keys:
        return set()
    unit = program.unit
    near = Q(rule__unit__path__in=paths_above(unit.path)) | Q(rule__unit__path__startswith=unit.path)
    asked = Q()
    for key in keys:
        asked |= Q(definition__effects__contains=[{"effect": "tag", "tag": key}])
    given: set[str] = set()
    for definition in RuleVersion.objects.filter(near & asked).values_list("definition", flat=True):
        given |= _given_here(definition)
    return set(keys) - given
