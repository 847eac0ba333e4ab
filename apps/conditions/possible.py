"""What a condition on an event asks of its member alone. Pure."""

from apps.conditions.catalogue import Catalogue
from apps.conditions.tree import Group, Leaf, LinesLeaf, Not, Tree

ALWAYS = Group("all", ())


def of_members(tree: Tree, members: Catalogue) -> Tree:
    """A tree of `members` that holds for whoever could ever meet `tree`: each question that only an event can answer,
    of the store or of the lines, is taken to be answered as the tree would have it.

    It may hold for some who never can, where the tree asks an event two things that exclude each other, and for
    nobody too few.
    """
    return _possible(tree, members, True)


def _possible(tree: Tree, members: Catalogue, wanted: bool) -> Tree:
    match tree:
        case Not(child=child):
            return _possible(child, members, not wanted)
        case Group(kind=kind, children=children):
            opposite = "any" if kind == "all" else "all"
            parts = tuple(_possible(child, members, wanted) for child in children)
            found = Group(kind if wanted else opposite, parts)
            return ALWAYS if found.kind == "any" and ALWAYS in parts else found
        case Leaf() if members.field(tree.field.name) is not None:
            return tree if wanted else Not(tree)
        case Leaf() | LinesLeaf():
            return ALWAYS
