"""Browser tests: `studio` is the running studio, `studio_page` opens a window for a persona.

Everything is committed to a database of the test's own; a test fails on any console error or failed request,
unless it takes what it expected out of `studio.errors`.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from tests.browser import driving
from tests.browser.driving import Studio
from tests.factories import Cast, CoffeeGroup, make_cast, make_group

expect.set_options(timeout=20_000)  # milliseconds: two cores are busy with other tests


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Not for longer than a module: while Playwright's loop runs in this thread, Django keeps other connections here."""
    if driving.CHROMIUM is None:
        pytest.skip("Chromium is not installed; the browser tests are left out.")
    with driving.chromium() as browser:
        yield browser


@pytest.fixture
def group(committed: str) -> CoffeeGroup:
    cache.clear()
    return make_group()


@pytest.fixture
def cast(group: CoffeeGroup) -> Cast:
    return make_cast(group)


@pytest.fixture
def studio(browser: Any, cast: Cast) -> Iterator[Studio]:
    with driving.web_server() as address:
        running = Studio(address, browser)
        yield running
        running.close_pages()
    assert running.errors == []


@pytest.fixture
def studio_page(studio: Studio, cast: Cast) -> Callable[..., Any]:
    """`studio_page("marketing", language="zh-hans", width=390)` is a window of that persona."""

    def open_for(persona: str | None, **options: Any) -> Any:
        return studio.page(cast[persona] if persona else None, **options)

    return open_for
