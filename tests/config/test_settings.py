"""The settings as a process meets them: production is silent when checked, a wrong variable stops the start."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "SECRET_KEY": "a-secret-of-more-than-fifty-characters-that-nobody-can-guess-0123456789",
    "PERSONAL_DATA_KEYS": f"1:{KEY}",
    "LOOKUP_KEY": KEY,
    "ALLOWED_HOSTS": "studio.example.com",
    "DATABASE_URL": "postgresql://studio_app@db.example.com/studio",
    "DATABASE_OWNER_URL": "postgresql://studio_owner@db.example.com/studio",
    "CELERY_BROKER_URL": "redis://broker.example.com/0",
}


def start(data_dir: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`manage.py` with these variables and no others of the studio's."""
    plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=settings.BASE_DIR, env=plain | variables | {"DATA_DIR": str(data_dir)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_production_installation_is_silent_when_checked(tmp_path: Path) -> None:
    checked = start(tmp_path, "check", "--deploy", "--fail-level", "DEBUG", **PRODUCTION)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "no issues" in checked.stdout
    assert not (tmp_path / "secrets.env").exists()


@pytest.mark.parametrize("name", ["SECRET_KEY", "PERSONAL_DATA_KEYS", "LOOKUP_KEY", "ALLOWED_HOSTS"])
def test_production_has_no_default_for_what_is_its_own(tmp_path: Path, name: str) -> None:
    started = start(tmp_path, "check", **{key: value for key, value in PRODUCTION.items() if key != name})
    assert started.returncode == 1
    assert f"{name} is wrong: expected a value, and none is set." in started.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "http"), ("LOG_LEVEL", "LOUD"), ("CELERY_BROKER_URL", "kafka://broker"), ("DATABASE_URL", "sqlite:///x"),
     ("PERSONAL_DATA_KEYS", "1:hunter2"), ("MAIL_URL", "smtp://user:hunter2@"), ("STUDIO_URL", "studio.example.com")],
)  # fmt: skip
def test_a_wrong_variable_stops_the_start(tmp_path: Path, name: str, value: str) -> None:
    started = start(tmp_path, "check", **(PRODUCTION | {name: value}))
    assert started.returncode == 1
    assert f"{name} is wrong: expected " in started.stderr
    assert value not in started.stderr
