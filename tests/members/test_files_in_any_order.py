"""Files are brought, decided on, taken in and back among merges, redemptions, expiry and erasures, in any order: the books hold,
and nothing is refused but in words."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import pytest
from django.db import transaction
from django.db.models import QuerySet

from apps.core.errors import LoyaltyError
from apps.members.importing import checking, services
from apps.members.importing.deciding import CHOICES
from apps.members.importing.mapping import ColumnMapping
from apps.members.importing.models import MemberImport
from apps.members.merging.models import Merge
from apps.members.merging.services import merge, unmerge
from apps.members.models import Identifier, Member
from apps.members.privacy.erasing import erase
from apps.points.checking import differences
from apps.points.models import Account, Posting
from apps.points.services import adjust, redeem, reverse
from apps.points.services.expiring import expire_due
from tests.factories import CoffeeGroup
from tests.members.test_files_attacked import WHEN, taken, taken_back

pytestmark = pytest.mark.django_db
HEADER = "card,phone,name,store,points,pointsexpireon\n"
STEPS = 18


class Story:
    """What happens, drawn from a seed; `told` says what did."""

    def __init__(self, group: CoffeeGroup, seed: int) -> None:
        self.group, self.draw, self.told = group, Random(seed), list[str]()
        self.when = WHEN

    def go_on(self) -> None:
        self.when += timedelta(hours=self.draw.choice([1, 5, 30]))
        steps: list[Callable[[datetime], object]] = [
            self.bring, self.bring, self.take, self.take, self.take, self.take_back, self.merge, self.merge, self.unmerge,
            self.redeem, self.adjust, self.expire, self.reverse, self.erase,
        ]  # fmt: skip
        step = self.draw.choice(steps)
        try:
            with transaction.atomic():
                step(self.when)
            self.told.append(step.__name__)
        except LoyaltyError as refusal:
            self.told.append(f"{step.__name__}: {refusal.sentence()}")
        except IndexError:
            pass  # nobody is there yet, or no file

    def one(self, rows: QuerySet) -> int:
        """The key of any of the rows. Raises IndexError where there is none."""
        return int(self.draw.choice(list(rows.order_by("pk").values_list("pk", flat=True))))

    def member(self) -> int:
        return self.one(Member.objects.exclude(state__in=["removed", "merged"]))

    def file(self, state: str) -> MemberImport:
        return MemberImport.objects.get(pk=self.one(MemberImport.objects.filter(state=state)))

    def row(self) -> str:
        draw = self.draw
        return (
            f"C{draw.randrange(4)},1381234567{draw.randrange(4)},N{draw.randrange(3)},S00{draw.choice('12')},"
            f"{draw.choice(['-20', '0', '10', '40', ''])},{draw.choice(['', '2026-12-02', '9999-12-31'])}\n"
        )

    def bring(self, when: datetime) -> None:
        text = HEADER + "".join(self.row() for _ in range(self.draw.randrange(2, 6)))
        source = self.draw.choice(["", "crm"])
        job = services.bring(None, io.BytesIO(text.encode()), "old.csv", self.group.east, source=source, when=when)
        services.map_columns(None, job.pk, ColumnMapping.model_validate(job.mapping), source=source, when=when)
        job = services.check(job.pk, when=when)
        for code, value, _rows in checking.questions(job):
            choice = self.draw.choice(sorted(CHOICES[code]))
            services.decide(None, job.pk, code, value, choice, when=when)

    def take(self, when: datetime) -> None:
        taken(self.file("checked"), when)

    def take_back(self, when: datetime) -> None:
        taken_back(self.file("done"), when)

    def merge(self, when: datetime) -> None:
        merge(None, self.member(), self.member(), reason="one person", when=when)

    def unmerge(self, when: datetime) -> None:
        unmerge(None, self.one(Merge.objects.filter(undone_at=None)), reason="two persons", when=when)

    def redeem(self, when: datetime) -> None:
        redeem(
            None,
            self.one(Account.objects.filter(balance__gte=7)),
            7,
            key=f"tea {when}",
            unit=self.group["S001"],
            when=when,
        )

    def adjust(self, when: datetime) -> None:
        points = self.draw.choice([-5, 9])
        kind = self.group.point_types["east"].pk
        adjust(None, self.member(), kind, points, reason="sorry", key=f"sorry {when}", when=when)

    def expire(self, when: datetime) -> None:
        expire_due(when)

    def reverse(self, when: datetime) -> None:
        reverse(
            None,
            self.one(Posting.objects.filter(kind__in=["redeem", "adjust"])),
            reason="a mistake",
            key=f"mistake {when}",
            when=when,
        )

    def erase(self, when: datetime) -> None:
        erase(None, self.member(), why="asked", forfeits=True, when=when)


@pytest.mark.parametrize("seed", range(22, 30))
def test_the_books_hold_whatever_happens_to_files_and_their_members(group: CoffeeGroup, seed: int) -> None:
    """The mistake: two roads of one file, each right by itself, that give points twice, lose them or end in a crash."""
    story = Story(group, seed)
    for _ in range(STEPS):
        story.go_on()
        assert differences() == [], story.told
        assert not Identifier.objects.exclude(member__state__in=("active", "closed")).exists(), story.told
        assert not Member.objects.filter(state="removed").exclude(masked_name="").exists(), story.told
        assert not Account.objects.filter(member__state="merged").exclude(balance=0).exists(), story.told
