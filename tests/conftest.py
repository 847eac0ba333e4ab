"""What every test stands on: a database, a cast, and the clock of the stories."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections
from django.utils import translation

from apps.core import messages
from tests import databases
from tests.factories import Cast, CoffeeGroup, make_cast, make_group


def pytest_configure() -> None:
    messages.compile_all(Path(settings.BASE_DIR))


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """Points this process at a database of its own, copied from the migrated template."""
    name = f"test_{os.getpid()}"
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        databases.create(name)
        databases.point_at(name)
    yield
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        for alias in connections:
            connections[alias].close()
        with databases.maintenance() as admin:
            databases.drop(name, admin)


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[str]:
    """A database of the test's own with real commits, for threads, processes and crashes; its name."""
    with django_db_blocker.unblock(), databases.scratch("test") as name:  # type: ignore[attr-defined]
        yield name
        for alias in connections:
            connections[alias].close()


@pytest.fixture(autouse=True)
def default_language() -> Iterator[None]:
    """A request in Chinese leaves its language in the thread."""
    yield
    translation.deactivate()


@pytest.fixture
def group(db: None) -> CoffeeGroup:
    """A small coffee group with two companies; see tests/factories.py."""
    return make_group()


@pytest.fixture
def cast(group: CoffeeGroup) -> Cast:
    """One person per persona of company EAST, and an outsider of company WEST."""
    return make_cast(group)
