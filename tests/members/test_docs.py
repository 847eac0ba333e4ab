"""docs/import.md explains every finding, docs/privacy.md everything that is held: no more, no fewer."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from apps.members.importing.findings import ASKING, NOTED, REFUSING
from apps.members.privacy.holdings import holdings

PRIVACY = (Path(settings.BASE_DIR) / "docs" / "privacy.md").read_text(encoding="utf-8")
TEXT = (Path(settings.BASE_DIR) / "docs" / "import.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("title", "codes"),
    [("What refuses a row", REFUSING), ("What a person settles", ASKING), ("What is repaired without asking", NOTED)],
)
def test_every_finding_stands_in_its_table(title: str, codes: dict[str, object]) -> None:
    table = TEXT.partition(f"### {title}\n")[2].partition("\n#")[0]
    assert re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE) == list(codes)


def test_everything_that_is_held_of_a_member_stands_in_the_table_of_erasing() -> None:
    table = PRIVACY.partition("| what is held |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (.+) \| (.+) \|$", table, re.MULTILINE)
    assert sorted(rows) == sorted(
        (each.label.en, each.stays.en if each.stays is not None else "All of it goes") for each in holdings()
    )
