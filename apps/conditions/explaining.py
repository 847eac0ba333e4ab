"""Why a condition held or not: leaf by leaf, with the value that was there. Slow; for people who ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.conditions.catalogue import Catalogue
from apps.conditions.compiling import READERS, compile_tree
from apps.conditions.sentences import sentence, written
from apps.conditions.tree import Leaf, LinesLeaf, Tree, leaves
from apps.conditions.tree import Path as TreePath
from apps.conditions.types import WEEKDAYS, Type
from apps.conditions.words import Words

MISSING = Words("not known", "未知")
EMPTY = Words("empty", "空")
ONE_LINE, SOME_LINES = Words("{n} line in all", "共 {n} 行明细"), Words("{n} lines in all", "共 {n} 行明细")


@dataclass(frozen=True, slots=True)
class Explained:
    """One leaf: where it stands, what it asks, what was there, whether it held."""

    path: TreePath
    sentence: str
    actual: str
    held: bool


def explain(
    tree: Tree,
    catalogue: Catalogue,
    units: Mapping[str, str],
    language: str,
    unit_names: Mapping[str, str] | None = None,
    **subjects: Any,
) -> list[Explained]:
    """Every leaf of `tree` over the subjects, in the order written; agrees with the compiled reading.

    `units` maps codes of org units to paths, `unit_names` to names.
    """
    names = unit_names or {}
    named_paths = {path: names.get(code, code) for code, path in units.items()}
    arguments = [subjects[name] for name in catalogue.subjects]
    explained = []
    for leaf in leaves(tree):
        held = compile_tree(leaf, catalogue, units).test(*arguments) < 0
        actual = _in_words(leaf, actual_of(leaf, catalogue, subjects), language, named_paths)
        explained.append(Explained(leaf.path, sentence(leaf, catalogue, language, names), actual, held))
    return explained


def _in_words(leaf: Leaf | LinesLeaf, value: Any, language: str, named_paths: Mapping[str, str]) -> str:
    """What was there, as the sentence would name it."""
    if value is not None and isinstance(leaf, LinesLeaf):
        words = ONE_LINE if value == 1 else SOME_LINES
        return words.in_language(language).format(n=value)
    if value is not None and isinstance(leaf, Leaf):
        if leaf.reads is Type.UNIT:
            return named_paths.get(value, str(value))
        if leaf.reads is Type.WEEKDAY:
            return str(WEEKDAYS[value - 1].in_language(language))
        if isinstance(value, tuple | list):
            names = {code: words.in_language(language) for code, words in leaf.field.choices}
            value = [names.get(each, each) for each in value]
        for code, words in leaf.field.choices:
            if code == value:
                return str(words.in_language(language))
    return written_value(value, language)


def actual_of(leaf: Leaf | LinesLeaf, catalogue: Catalogue, subjects: Mapping[str, Any]) -> Any:
    """The value a leaf looks at; for lines, how many there are."""
    if isinstance(leaf, LinesLeaf):
        assert catalogue.lines is not None
        return len(_read(catalogue.lines.read, subjects))
    value = _read(leaf.field.read, subjects)
    if leaf.window is not None:
        return value.get(leaf.window, 0)
    if leaf.field.key is not None:
        value = value.get(leaf.field.key)
        reader = READERS.get(leaf.reads)
        return value if reader is None else reader(value)
    return value


def written_value(value: Any, language: str) -> str:
    """The value in words; `not known` where there is none, `empty` where there is nothing in it."""
    if value is None:
        return MISSING.in_language(language)
    if isinstance(value, list | tuple | set | frozenset):
        said = ("、" if language.startswith("zh") else ", ").join(map(str, value))
    else:
        said = written(value, language).strip()
    return said or EMPTY.in_language(language)


def _read(path: str, subjects: Mapping[str, Any]) -> Any:
    first, *rest = path.split(".")
    value = subjects[first]
    for name in rest:
        value = getattr(value, name)
    return value
