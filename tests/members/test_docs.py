"""docs/import.md explains every finding: no more, no fewer."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from apps.members.importing.findings import ASKING, NOTED, REFUSING

TEXT = (Path(settings.BASE_DIR) / "docs" / "import.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("title", "codes"),
    [("What refuses a row", REFUSING), ("What a person settles", ASKING), ("What is repaired without asking", NOTED)],
)
def test_every_finding_stands_in_its_table(title: str, codes: dict[str, object]) -> None:
    table = TEXT.partition(f"### {title}\n")[2].partition("\n#")[0]
    assert re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE) == list(codes)
