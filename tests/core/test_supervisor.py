"""A process that keeps dying is started again ever later. What runs for real is in tests/faults/test_supervisor.py."""

import pytest

from apps.core.supervisor import Child, Part, parts


@pytest.mark.parametrize(
    ("deaths", "seconds"), [(0, 0.0), (1, 0.5), (2, 1.0), (3, 2.0), (6, 16.0), (7, 30.0), (10_000, 30.0)]
)
def test_the_pause_grows_with_every_death_in_a_row(deaths: int, seconds: float) -> None:
    assert Child(Part("worker", ("celery",)), deaths=deaths).pause == seconds


def test_the_studio_is_a_web_server_a_worker_and_a_scheduler() -> None:
    assert [part.name for part in parts(8000)] == ["web server", "worker", "scheduler"]
    assert "127.0.0.1:8000" in parts(8000)[0].command
