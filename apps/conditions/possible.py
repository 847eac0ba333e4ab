"""What a condition asks of what is known, where not all is: of the member alone, or of an event long past. Pure."""

from collections.abc import Callable

from apps.conditions.catalogue import Catalogue
from apps.conditions.tree import Group, Leaf, LinesLeaf, Not, Tree

ALWAYS = Group("all", ())
NEVER = Not(ALWAYS)

Known = Callable[[Leaf | LinesLeaf], bool | None]
"""What the event answers to a question that is not of its member; None where that is not known yet."""


def of_members(tree: Tree, members: Catalogue, known: Known = lambda leaf: None) -> Tree:
    """A tree of `members` that holds for whoever could ever meet `tree`: each question that only an event can answer,
    of the store or of the lines, is taken to be answered as the tree would have it, unless it is `known`.

    It may hold for some who never can, where the tree asks an event two things that exclude each other, and for
    nobody too few.
    """
    return _possible(
        tree, lambda leaf: isinstance(leaf, Leaf) and members.field(leaf.field.name) is not None, known, True
    )


def of_asked(tree: Tree, asks: Callable[[Leaf | LinesLeaf], bool]) -> Tree:
    """The tree of the questions that one `asks`, which holds wherever `tree` could: the others are taken to be answered
    as it would have them."""
    return _possible(tree, asks, lambda leaf: None, True)


def _possible(tree: Tree, asks: Callable[[Leaf | LinesLeaf], bool], known: Known, wanted: bool) -> Tree:
    match tree:
        case Not(child=child):
            return _possible(child, asks, known, not wanted)
        case Group(kind=kind, children=children):
            opposite = "any" if kind == "all" else "all"
            parts = tuple(_possible(child, asks, known, wanted) for child in children)
            if (kind if wanted else opposite) == "all":
                return NEVER if NEVER in parts else Group("all", parts)
            open_parts = tuple(part for part in parts if part != NEVER)
            return ALWAYS if ALWAYS in parts else Group("any", open_parts) if open_parts else NEVER
        case Leaf() | LinesLeaf() if asks(tree):
            return tree if wanted else Not(tree)
        case Leaf() | LinesLeaf():
            return ALWAYS if known(tree) in (None, wanted) else NEVER
