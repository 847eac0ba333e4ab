"""Finding one of a million members by four digits or by a part of the name, against bare indexed SQL for the same rows.

The manager who looks is of a region all of whose members are old: the newer half of all belongs to another company. The
auditor sees the group.
"""

import random
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection, connections, transaction

from apps.members.crypto import encrypt, tail_hash
from apps.members.identifiers import mask_name
from apps.members.names import asked_grams, grams_of
from apps.members.services import search
from apps.orgs.models import Staff
from apps.orgs.services import create_unit
from benchmarks.measuring import PAIRS, Figure, agree
from benchmarks.pages import Page
from benchmarks.world import settle
from tests import databases
from tests.factories import CoffeeGroup, make_group, make_staff

SQL = Path(__file__).parent / "sql"
POOL = 100_000
STORES = {"EAST-N": 40, "EAST-S": 10, "WEST-N": 50}
"""So many more stores in each region."""
DIGITS = ("1234", "0007", "8888")
PARTS = ("王", "英", "谢", "俊", "王英", "李秀英", "ann", "smith", "lee ann")
"""From what one in fourteen is called to what a handful is."""
BOX, LIST = 7, 50
"""How many the box under Ctrl+K looks for, and how many the list."""

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭"
    "陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
BORNE_BY = [7.1, 7.0, 6.7, 5.1, 4.6, 3.2, *(2.5 * 0.97**n for n in range(len(SURNAMES) - 6))]
"""Per cent of the people of China, about."""
GIVEN = (
    "英华明国文建伟芳秀丽军强敏静杰娟涛超勇艳平刚霞玉志红永海金春林小德光晓兰生云龙辉梅燕飞萍鑫波宇浩凯健俊帆雪荣爱东"
)
RARE = "".join(chr(0x4E00 + 11 * n) for n in range(1_000))
FIRST = [
    "Ann",
    "John",
    "Maria",
    "David",
    "Anna",
    "Peter",
    "Julia",
    "Thomas",
    "Laura",
    "Michael",
    "Sarah",
    "Daniel",
    "Emma",
    "Lucas",
    "Sofia",
    "Martin",
    "Elena",
    "Paul",
]
LAST = [
    "Lee",
    "Smith",
    "Müller",
    "García",
    "Brown",
    "Jones",
    "Silva",
    "Rossi",
    "Novak",
    "Kim",
    "Nguyen",
    "Ivanov",
    "Tanaka",
    "Dubois",
    "Weber",
    "López",
    "Wang",
]


def member_search(quick: bool) -> list[Figure]:
    """By the last four digits, and by a part of the name: as the box does it, and what the list waits for."""
    members, turns = (4_000, 2) if quick else (1_000_000, 2 * PAIRS)
    with people("people", members) as group:
        readers = (
            Reader(make_staff(group["EAST-N"], ["regional_manager"], username="manager"), group["EAST-N"].path),
            Reader(make_staff(group["G"], ["auditor"], username="auditor"), group["G"].path),
        )
        digits, parts = ([Asked(reader, term) for reader in readers for term in terms] for terms in (DIGITS, PARTS))
        listed = [Asked(reader, term, LIST) for reader in readers for term in (*DIGITS, *PARTS)]
        return [
            *ratio("last four digits", digits, turns, members),
            *ratio("part of a name", parts, turns, members),
            slowest(digits + parts + listed, turns),
            Figure("member_search: queries", max(len(each.page.asked) for each in listed), 6, at_most=True, unit=""),
        ]


@dataclass(frozen=True)
class Reader:
    person: Staff
    path: str


class Asked:
    """One search, and the best statement by hand that finds the same. Raises AnswersDiffer."""

    def __init__(self, reader: Reader, term: str, most: int = BOX) -> None:
        self.what, self.page = f"{reader.person} {term} {most}", Page()
        self.reader, self.term = reader, term
        reader.person.has_perm("members.view_member")  # as any page has asked before
        with connection.execute_wrapper(self.page.note):
            found = [each.member.pk for each in search(reader.person, term, most)]
        self.page.asked = [(sql, values) for sql, values in self.page.asked if "SAVEPOINT" not in sql]
        by_hand = [Page([(sql, self.values(most))]) for sql in self.statements()]
        for bare in by_hand:
            agree(self.what, found, ids(bare)[:most])
        self.by_hand = min(by_hand, key=lambda bare: min(bare.again() for _ in range(3)))

    def statements(self) -> list[str]:
        """Those by hand; which is the best depends on how many are called so."""
        ways = ["find_digits"] if self.term.isdecimal() else ["find_rare", "find_common"]
        if not self.term.isdecimal() and self.reader.person.username == "auditor":
            ways.append("find_newest")
        return [(SQL / f"{way}.sql").read_text(encoding="utf-8") for way in ways]

    def values(self, most: int) -> dict[str, Any]:
        tail, grams = tail_hash(self.term), asked_grams(self.term)
        return {"tail": tail, "grams": grams, "path": self.reader.path + "%", "most": most}

    def again(self) -> float:
        """Seconds of the database for all that the search asks, its row on record included; the row is taken back."""
        with transaction.atomic():
            seconds = self.page.again()
            transaction.set_rollback(True)
        return seconds


def ids(page: Page) -> list[int]:
    """The members that a statement by hand finds, each once."""
    with connection.cursor() as cursor:
        cursor.execute(*page.asked[0])
        return list(dict.fromkeys(row[0] for row in cursor.fetchall()))


def ratio(name: str, asked: list[Asked], turns: int, members: int) -> list[Figure]:
    """All the searches one after the other, against the same by hand."""
    seen = [(sum(each.again() for each in asked), sum(each.by_hand.again() for each in asked)) for _ in range(turns)]
    mine, limit = (1000 * statistics.median(side) / len(asked) for side in zip(*seen, strict=True))
    told = f"{mine:.2f} ms of the database, {limit:.2f} ms bare, mean of {len(asked)} searches among {members:,}"
    share = statistics.median(mine / limit for mine, limit in seen)
    return [Figure(f"member_search: {name}", share, 2, at_most=True, unit="×", seen=told)]


def slowest(asked: list[Asked], turns: int) -> Figure:
    """The search that keeps the database longest, the list's fifty rows included."""
    times = {each.what: 1000 * statistics.median(each.again() for _ in range(turns)) for each in asked}
    what = max(times, key=lambda name: times[name])
    return Figure("member_search: slowest", times[what], 50, at_most=True, unit="ms", seen=f"of the database: {what}")


def names(count: int) -> list[str]:
    """Names as they are: one in ten in Latin letters, the others Chinese; the commonest surname with one in fourteen."""
    draw = random.Random(5)  # noqa: S311 -- the same names each time
    given = GIVEN + RARE
    weights = [2.5 * 0.985**n for n in range(len(given))]

    def one() -> str:
        if draw.random() < 0.1:
            return f"{draw.choice(FIRST)} {draw.choice(LAST)}"
        return draw.choices(SURNAMES, BORNE_BY)[0] + "".join(draw.choices(given, weights, k=draw.choice((1, 2, 2))))

    return [one() for _ in range(count)]


@contextmanager
def people(label: str, members: int) -> Iterator[CoffeeGroup]:
    """A scratch database with so many members of a hundred stores; dropped afterwards."""
    with databases.scratch(label):
        group = make_group()
        for region, stores in STORES.items():
            for number in range(stores):
                create_unit(group[region], "store", f"{region}{number}", f"Store {number}")
        enrol(members)
        settle()
        yield group
        for alias in connections:
            connections[alias].close()


def enrol(members: int) -> None:
    pool = names(min(POOL, members))
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE names (id int PRIMARY KEY, masked text, cipher bytea, grams int[])")
        with cursor.cursor.copy("COPY names FROM STDIN") as copy:
            for number, name in enumerate(pool):
                copy.write_row((number, mask_name(name), encrypt(name, "name"), grams_of(name)))
        cursor.execute("CREATE TEMPORARY TABLE tails (id int PRIMARY KEY, hash bytea)")
        with cursor.cursor.copy("COPY tails FROM STDIN") as copy:
            for number in range(10_000):
                copy.write_row((number, tail_hash(f"{number:04}")))
        cursor.execute("ANALYZE names, tails")
        values = {"members": members, "names": len(pool)}
        for statement in (SQL / "people.sql").read_text(encoding="utf-8").split(";\n"):
            cursor.execute(statement, values)
