"""The members: Chinese names, phones, cards, and how often each comes by. Drawn from a seed; nothing is written here."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国文斌宇浩凯欣雨晨佳怡思源子涵梓轩诗琪一诺若曦安然书瑶"
PREFIXES = ("135", "136", "137", "138", "139", "150", "158", "159", "177", "186", "188", "189")
FAVOURITES = ("拿铁", "美式", "手冲", "冷萃", "抹茶", "乌龙")


@dataclass(frozen=True)
class Person:
    """A member to be: `visits_a_month` is how often they come, from the day they join."""

    number: int
    name: str
    phone: str
    card: str
    email: str
    birth_on: date | None
    joined_on: date
    company: str
    store: str
    favourite: str
    visits_a_month: float

    @property
    def identifiers(self) -> list[tuple[str, str]]:
        found = [("phone", self.phone), ("card", self.card)]
        return [*found, ("email", self.email)] if self.email else found


def draw_people(random: Random, count: int, stores: dict[str, list[str]], first: date, last: date) -> list[Person]:
    """`count` people of the companies in `stores`; two in three belong to the first of two, most joined before `first`."""
    companies = list(stores)
    phones = random.sample(range(10**8), count)
    return [_draw(random, number, phones[number], companies, stores, first, last) for number in range(count)]


def _draw(
    random: Random, number: int, phone: int, companies: list[str], stores: dict[str, list[str]], first: date, last: date
) -> Person:
    company = random.choices(companies, weights=(2, 1)[: len(companies)])[0]
    near = stores[company]
    # The first stores of a company are its busiest.
    store = random.choices(near, weights=[1 / (place + 2) for place in range(len(near))])[0]
    is_old = random.random() < 0.7
    joined = first - timedelta(days=random.randint(1, 700)) if is_old else _between(random, first, last)
    given = "".join(random.choices(GIVEN, k=random.choice((1, 2, 2, 2))))
    return Person(
        number=number,
        name=random.choice(SURNAMES) + given,
        phone=f"{random.choice(PREFIXES)}{phone:08}",
        card=f"{company[0]}{88_000_000 + number}",
        email=f"member{number}@example.com" if random.random() < 0.3 else "",
        birth_on=_between(random, date(1962, 1, 1), date(2006, 12, 31)) if random.random() < 0.85 else None,
        joined_on=joined,
        company=company,
        store=store,
        favourite=random.choice(FAVOURITES),
        visits_a_month=min(12.0, random.lognormvariate(-0.25, 0.95)),
    )


def _between(random: Random, first: date, last: date) -> date:
    return first + timedelta(days=random.randint(0, max(0, (last - first).days)))
