"""Twenty seeds of `make chaos`, short, on a server of their own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.faults
SEEDS = range(1, 21)


def test_twenty_stories_end_the_same_whatever_is_killed(tmp_path: Path) -> None:
    """Catches: a verb without its key, progress written before the work, a sweep that selects by a label."""
    seeds = [str(seed) for seed in SEEDS]
    said = subprocess.run(
        [sys.executable, "-m", "tests.faults.chaos", "--phases", "4", "--members", "5", "--seeds", *seeds],
        cwd=settings.BASE_DIR, env={**os.environ, "DATA_DIR": str(tmp_path)}, text=True, capture_output=True, timeout=900,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout + said.stderr
    kills = [int(number) for number in re.findall(r"after (\d+) kills", said.stdout)]
    assert len(kills) == len(SEEDS)
    assert sum(kills) >= 100
