"""Two exports of the old card system: the first is in, the second waits for what a person must settle."""

import io
from collections.abc import Iterator
from datetime import date, datetime
from random import Random

from apps.members.importing import services
from apps.members.importing.mapping import ColumnMapping
from apps.members.importing.models import MemberImport
from config.demo.group import Group
from config.demo.members import draw_people

IN, WAITING = 24, 36
SOURCE = "旧会员卡 Old cards"
HEADER = "会员卡号,姓名,手机号,生日,入会日期,入会门店,会员等级,当前积分"
LEVELS = ("普卡", "普卡", "普卡", "银卡", "金卡")
FAULTS = {
    4: {"phone": "1.38E+10"}, 9: {"store": "外滩旧店"}, 10: {"store": "外滩旧店"}, 15: {"level": "钻石卡"},
    20: {"points": "-60"}, 25: {"birthday": "1990-02-30"},
}  # fmt: skip


def bring_old_cards(group: Group, random: Random, end: datetime) -> int:
    """Brings both, the first to its end; how many members came."""
    stores = [unit.code for unit in group.stores("EAST")]
    job = _checked(group, "旧会员卡_第一批.csv", list(_rows(random, IN, stores, end.date(), 1)), end)
    integrator = group.people["integrator"]
    # Its birthdays are as an old system's are: where they bring the data below what is wanted, a reason lets it in.
    services.start(integrator, job.pk, when=end, reason="旧系统停用，缺失的资料到店补齐。")
    job = services.run(job.pk, clock=lambda: end)
    _checked(group, "旧会员卡_第二批.csv", list(_rows(random, WAITING, stores, end.date(), 2, FAULTS)), end)
    return int(job.counts.get("new", 0))


def _checked(group: Group, name: str, rows: list[str], when: datetime) -> MemberImport:
    """A file as the old system wrote it: in GB18030, with a row of totals at its end."""
    integrator, content = group.people["integrator"], "\r\n".join([HEADER, *rows, "合计,,,,,,,"]).encode("gb18030")
    job = services.bring(integrator, io.BytesIO(content), name, group.programs["east"], source=SOURCE, when=when)
    stated = {"rows": len(rows)}
    columns = ColumnMapping.model_validate(job.mapping)
    services.map_columns(integrator, job.pk, columns, source=SOURCE, stated=stated, when=when)
    return services.check(job.pk, when=when)


def _rows(
    random: Random,
    count: int,
    stores: list[str],
    last: date,
    batch: int,
    faults: dict[int, dict[str, str]] | None = None,
) -> Iterator[str]:
    people = draw_people(random, count, {"EAST": stores}, last, last)
    for person in people:
        told = {
            "card": f"OLD{batch}{person.number:05}", "name": person.name, "phone": f"{166 + batch}{person.phone[3:]}",
            "birthday": f"{person.birth_on:%Y/%m/%d}" if person.birth_on else "", "joined": f"{person.joined_on:%Y-%m-%d}",
            "store": person.store, "level": random.choice(LEVELS), "points": str(random.randrange(0, 2_000, 10)),
        }  # fmt: skip
        yield ",".join((told | (faults or {}).get(person.number, {})).values())
