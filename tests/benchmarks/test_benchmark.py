"""The benchmark runs on small sizes, and product and limit write the same rows. Nothing here is timed."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command


def test_every_benchmark_runs_and_its_answers_agree(committed: str) -> None:
    """The planted mistake: a limit that leaves a row out, such as the counter of a cap, says `AnswersDiffer`."""
    said = StringIO()
    call_command("benchmark", "award_one", "award_batch", quick=True, json=True, stdout=said, stderr=StringIO())
    found = json.loads(said.getvalue())
    assert {row["name"] for row in found["figures"]} >= {"award_one", "round_trips", "award_batch"}
    assert next(row for row in found["figures"] if row["name"] == "round_trips")["value"] <= 4


def test_an_unknown_benchmark_is_named() -> None:
    with pytest.raises(CommandError, match="no benchmark speed"):
        call_command("benchmark", "speed", stderr=StringIO())
