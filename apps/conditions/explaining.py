"""Why a condition held or not: leaf by leaf, with the value that was there. Slow; for people who ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.conditions.catalogue import Catalogue
from apps.conditions.compiling import READERS, compile_tree
from apps.conditions.sentences import sentence, written
from apps.conditions.tree import Leaf, LinesLeaf, Tree, leaves
from apps.conditions.tree import Path as TreePath
from apps.conditions.words import Words

MISSING = Words("not known", "未知")


@dataclass(frozen=True, slots=True)
class Explained:
    """One leaf: where it stands, what it asks, what was there, whether it held."""

    path: TreePath
    sentence: str
    actual: str
    held: bool


def explain(
    tree: Tree, catalogue: Catalogue, units: Mapping[str, str], language: str, **subjects: Any
) -> list[Explained]:
    """Every leaf of `tree` over the subjects, in the order written; agrees with the compiled reading."""
    arguments = [subjects[name] for name in catalogue.subjects]
    explained = []
    for leaf in leaves(tree):
        held = compile_tree(leaf, catalogue, units).test(*arguments) < 0
        actual = written_value(actual_of(leaf, catalogue, subjects), language)
        explained.append(Explained(leaf.path, sentence(leaf, catalogue, language), actual, held))
    return explained


def actual_of(leaf: Leaf | LinesLeaf, catalogue: Catalogue, subjects: Mapping[str, Any]) -> Any:
    """The value a leaf looks at; for lines, how many there are."""
    if isinstance(leaf, LinesLeaf):
        assert catalogue.lines is not None
        return len(_read(catalogue.lines.read, subjects))
    value = _read(leaf.field.read, subjects)
    if leaf.field.key is not None:
        value = value.get(leaf.field.key)
        reader = READERS.get(leaf.reads)
        return value if reader is None else reader(value)
    return value


def written_value(value: Any, language: str) -> str:
    """The value in words; `not known` where there is none."""
    if value is None:
        return MISSING.in_language(language)
    if isinstance(value, list | tuple | set | frozenset):
        return "、".join(map(str, value)) if language.startswith("zh") else ", ".join(map(str, value))
    return written(value, language).strip()


def _read(path: str, subjects: Mapping[str, Any]) -> Any:
    first, *rest = path.split(".")
    value = subjects[first]
    for name in rest:
        value = getattr(value, name)
    return value
