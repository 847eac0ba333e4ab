"""A few members who enrolled twice: found on the board of duplicates, one of them merged."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from random import Random

from apps.members.merging import finding
from apps.members.merging.judging import propose
from apps.members.merging.services import merge
from apps.members.models import Member
from apps.members.services import create_member
from apps.members.services.searching import find_by_identifier
from config.demo.group import Group
from config.demo.members import Person

TWINS = 6


def enrol_again(group: Group, people: Sequence[Person], random: Random, end: datetime) -> int:
    """Enrols them at another till with another card, compares all members, and merges the first two; how many came."""
    known = ((person, _of(person)) for person in people if person.company == "EAST" and person.birth_on)
    chosen = list(islice(((person, member) for person, member in known if member is not None), TWINS))
    again = [_again(group, person, number, random, end) for number, (person, _member) in enumerate(chosen)]
    finding.search(finding.ask_search(None, when=end).pk, when=end)
    if len(again) > 1:
        merge(None, chosen[0][1].pk, again[0].pk, reason="会员本人来电确认：换卡后重复注册", when=end)
        propose(group.people["service"], chosen[1][1].pk, again[1].pk, note="会员说两张卡都是自己的", when=end)
    return len(again)


def _again(group: Group, person: Person, number: int, random: Random, end: datetime) -> Member:
    """The same person at the store of the company that comes next: by name and birthday, or by the phone alone."""
    stores = sorted(unit.code for unit in group.stores("EAST"))
    store = stores[(stores.index(person.store) + number % 2) % len(stores)]
    card = ("card", f"E{99_000_000 + number}")
    by_phone = number % 3 == 2
    return create_member(
        None, group.units[store],
        identifiers=[card, ("external:wechat", person.phone)] if by_phone else [card, ("phone", f"199{random.randrange(10**8):08}")],
        name="" if by_phone else person.name, birth_on=None if by_phone else person.birth_on, when=end,
    )  # fmt: skip


def _of(person: Person) -> Member | None:
    """The member; None of who was erased."""
    return find_by_identifier(None, "card", person.card)
