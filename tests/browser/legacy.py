"""A small export of an old card system: 60 members in GB18030 with a title, a total row and the usual faults."""

STORES = ("S001", "Station", "S002", "Harbour")
FIRST_NAMES = "明红强丽军敏静伟芳磊"


def row(number: int) -> str:
    phone = {7: "1.38E+10", 12: "138 0000 1000", 15: "+86 138-0015-1015"}.get(
        number, f"138{number:04d}{1000 + number:04d}"
    )
    store = "旧城店" if number in (20, 21) else STORES[number % len(STORES)]
    points = '"1,430"' if number == 33 else str(100 + 10 * number)
    return ",".join((
        f"LM{number:05d}", f"王{FIRST_NAMES[number % 10]}", "男" if number % 2 else "女", phone,
        f"19{60 + number % 40}-0{1 + number % 9}-1{number % 9}", f"2020/{1 + number % 12}/{1 + number % 28}", store,
        "金卡" if number % 5 == 0 else "普卡", points,
    ))  # fmt: skip


def legacy_file() -> bytes:
    """Row 2 is the header: member `n` stands in row `n + 3`."""
    lines = ["山海旧卡系统导出", "会员卡号,姓名,性别,手机号,生日,入会日期,入会门店,会员等级,当前积分"]
    lines += [row(number) for number in range(60)]
    return "\r\n".join([*lines, "合计,,,,,,,,24800"]).encode("gb18030")
