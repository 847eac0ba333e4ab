"""Whether the parties of a step have said yes, still can, or never will. Pure.

One person counts for one party: who stands in several is counted where that helps most, which is a matching.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

Person = int


@dataclass(frozen=True, slots=True)
class Party:
    """Who was asked and may still decide, or has; `need` is any, all, or how many."""

    need: str | int
    people: frozenset[Person]
    late: int = 0
    """How many of them were asked after the deadline, in the place of whoever is late."""

    @property
    def least(self) -> int:
        """How many must say yes: of `all`, as many as were asked before the deadline, and somebody at least."""
        if self.need == "all":
            return max(1, len(self.people) - self.late)
        return self.need if isinstance(self.need, int) else 1


def has_passed(parties: Sequence[Party], yes: Set[Person]) -> bool:
    """Whether those who said yes are enough for every party."""
    return _fills(parties, yes)


def can_pass(parties: Sequence[Party], yes: Set[Person], no: Set[Person], gone: Set[Person]) -> bool:
    """Whether it could still pass if everybody else said yes; `gone` are those who may not decide any more."""
    asked = frozenset[Person]().union(*(party.people for party in parties))
    return _fills(parties, (asked - no - gone) | (yes & asked))


def is_rejected(parties: Sequence[Party], yes: Set[Person], no: Set[Person]) -> bool:
    """Whether a no has decided: the first answer of `any`, each of `all`; of so many, when they cannot be reached."""
    if any(party.need in ("any", "all") and party.people & no and _only_here(parties, party, no) for party in parties):
        return True
    return bool(no) and not can_pass(parties, yes, no, frozenset())


def _only_here(parties: Sequence[Party], party: Party, no: Set[Person]) -> bool:
    """Whether somebody said no who is asked in no other party, or in no party that counts votes."""
    counting = [other for other in parties if other is not party and isinstance(other.need, int)]
    return any(person in party.people and not any(person in other.people for other in counting) for person in no)


def _fills(parties: Sequence[Party], people: Set[Person]) -> bool:
    """Whether `people` can be told apart so that each party gets as many as it needs: augmenting paths (Kuhn 1955)."""
    seats = [number for number, party in enumerate(parties) for _ in range(party.least)]
    taken: dict[int, Person] = {}
    by_person = {person: [n for n, number in enumerate(seats) if person in parties[number].people] for person in people}
    for person in sorted(people):
        _seat(person, by_person, taken, set())
    return len(taken) == len(seats)


def _seat(person: Person, seats: Mapping[Person, Sequence[int]], taken: dict[int, Person], tried: set[int]) -> bool:
    for seat in seats[person]:
        if seat in tried:
            continue
        tried.add(seat)
        if seat not in taken or _seat(taken[seat], seats, taken, tried):
            taken[seat] = person
            return True
    return False
