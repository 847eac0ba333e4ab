"""What an explanation says that a condition saw."""

from typing import Any

import pytest

from apps.conditions.explaining import written_value


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (None, "not known", "未知"),
        ([], "empty", "空"),
        (["tea", "cake"], "tea, cake", "tea、cake"),
        (True, "yes", "是"),
        ("", "“”", "“”"),
    ],
)
def test_a_value_is_never_said_by_saying_nothing(value: Any, english: str, chinese: str) -> None:
    assert written_value(value, "en") == english
    assert written_value(value, "zh-hans") == chinese
