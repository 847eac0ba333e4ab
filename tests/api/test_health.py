"""`GET health` for whoever watches over the studio."""

import pytest
from django.db import connection

from apps.core import work
from apps.core.broker import QUEUE
from apps.core.health import Health
from tests.api.conftest import Caller


def test_a_studio_that_is_well_says_so_to_anybody(committed: str) -> None:
    answer = Caller().get("health")
    assert (answer.status_code, answer.told) == (200, {"database": True, "broker": True, "queue_seconds": 0})


def test_work_that_waits_too_long_is_a_problem(committed: str) -> None:
    work.after_commit("apps.core.tasks.send_overdue")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE pgmq.q_{QUEUE} SET enqueued_at = now() - interval '10 minutes'")
    answer = Caller().get("health")
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.told["code"] == "queue_waits"


@pytest.mark.parametrize(
    ("state", "code"),
    [(Health(False, False, None), "database_down"), (Health(True, False, None), "broker_down")],
)
def test_what_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch, state: Health, code: str) -> None:
    monkeypatch.setattr("apps.core.api.health.health", lambda when: state)
    answer = Caller().get("health", **{"accept-language": "zh-hans"})
    assert (answer.status_code, answer.told["code"]) == (503, code)
    assert answer.told["detail"] in ("数据库没有响应。", "后台任务的消息代理没有响应。")
