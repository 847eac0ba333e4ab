"""The benchmark runs on small sizes, and product and limit write the same rows. Nothing here is timed."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from benchmarks.registry import BENCHMARKS


def test_every_benchmark_runs_and_its_answers_agree(committed: str) -> None:
    """Catches a limit that leaves a row out, such as the counter of a cap, and a road with more than four turns."""
    said = StringIO()
    call_command("benchmark", quick=True, json=True, stdout=said, stderr=StringIO())
    found = json.loads(said.getvalue())
    values = {row["name"]: row["value"] for row in found["figures"]}
    assert {name.partition(":")[0] for name in values} | set(found["left_out"]) == {*BENCHMARKS, "round_trips"}
    assert values["round_trips"] <= 4
    assert values["hot_members: deadlocks"] == 0


def test_an_unknown_benchmark_is_named() -> None:
    with pytest.raises(CommandError, match="no benchmark speed"):
        call_command("benchmark", "speed", stderr=StringIO())
