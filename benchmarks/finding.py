"""Finding one of a million members by four digits or by a part of the name, against bare indexed SQL for the same rows."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connections

from apps.members.crypto import encrypt, tail_hash
from apps.members.identifiers import mask_name
from apps.members.names import grams_of
from apps.orgs.services import create_unit
from benchmarks.world import settle
from tests import databases
from tests.factories import CoffeeGroup, make_group

SQL = Path(__file__).parent / "sql"
POOL = 100_000
STORES = {"EAST-N": 40, "EAST-S": 10, "WEST-N": 50}
"""So many more stores in each region."""

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
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE names (id int PRIMARY KEY, masked text, cipher bytea, grams int[])")
        with cursor.cursor.copy("COPY names FROM STDIN") as copy:
            for number, name in enumerate(names(POOL)):
                copy.write_row((number, mask_name(name), encrypt(name, "name"), grams_of(name)))
        cursor.execute("CREATE TEMPORARY TABLE tails (id int PRIMARY KEY, hash bytea)")
        with cursor.cursor.copy("COPY tails FROM STDIN") as copy:
            for number in range(10_000):
                copy.write_row((number, tail_hash(f"{number:04}")))
        cursor.execute("ANALYZE names, tails")
        values = {"members": members, "names": POOL}
        for statement in (SQL / "people.sql").read_text(encoding="utf-8").split(";\n"):
            cursor.execute(statement, values)
