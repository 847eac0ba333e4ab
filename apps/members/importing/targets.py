"""What a column of a file can be read as, in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from apps.core.reading import NOTE
from apps.members.importing.mapping import ColumnMapping
from apps.members.importing.parts import parts
from apps.members.models import AttributeDefinition, Identifier
from apps.members.querysets import definitions_for
from apps.members.words import kind_in_words
from apps.orgs.models import OrgUnit, Program


@dataclass(frozen=True, slots=True)
class Meaning:
    """A value that a text of the file may mean, and what people call it."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Target:
    """`meanings` are the values it takes; None where any text is one, empty where texts are not given a meaning."""

    value: str
    words: str
    meanings: Sequence[Meaning] | None = ()

    @property
    def takes_values(self) -> bool:
        return self.meanings != ()


@dataclass(frozen=True, slots=True)
class Group:
    words: str
    targets: tuple[Target, ...]


def targets_of(program: Program, chosen: ColumnMapping, columns: Iterable[str] = ()) -> list[Group]:
    """All that columns of a programme's files can be read as, grouped; free attributes are those that `chosen` names and
    those called as one of `columns`. A constant number of queries."""
    language = get_language() or "en"
    kinds = dict.fromkeys([*Identifier.Kind.values, *chosen.identifiers])
    defined = [each for each in definitions_for(program.unit) if each.is_active]
    known = {each.key for each in defined}
    free = dict.fromkeys([*chosen.attributes, *(name[:60] for name in columns if not name.startswith(NOTE))])
    return [
        Group(_("Names the member"), tuple(Target(f"identifier:{kind}", kind_in_words(kind)) for kind in kinds)),
        Group(_("About the member"), (
            Target("name", pgettext("of a person", "Name")), Target("birth_on", _("Birthday")),
            Target("joined_on", _("Joining date")), Target("store", _("Store"), stores_of(program)),
        )),
        Group(_("Attributes"), tuple(Target(f"attribute:{each.key}", str(each), meanings_of(each)) for each in defined)),
        *(
            Group(part.label.in_language(language), tuple(
                Target(value, words.in_language(language)) for value, words in part.targets(program)
            ))
            for part in parts()
        ),
        Group(_("Free attributes"), tuple(
            Target(f"attribute:{key}", _("Attribute “%(name)s”") % {"name": key}, None) for key in free if key not in known
        )),
    ]  # fmt: skip


def stores_of(program: Program) -> list[Meaning]:
    units = OrgUnit.objects.within(program.unit.path).filter(is_active=True).order_by("code")
    return [Meaning(code, f"{code} · {name}") for code, name in units.values_list("code", "name")]


def meanings_of(definition: AttributeDefinition) -> list[Meaning] | None:
    language = get_language() or "en"
    return [Meaning(each.value, each.words.in_language(language)) for each in definition.options] or None


def target_words(program: Program, chosen: ColumnMapping, columns: Iterable[str] = ()) -> dict[str, str]:
    """What each target is called."""
    return {target.value: target.words for group in targets_of(program, chosen, columns) for target in group.targets}
