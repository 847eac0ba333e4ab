"""A round of `make shots`, small."""

from pathlib import Path

import pytest
from PIL import Image

from tests.browser import shooting
from tests.browser.driving import Studio

pytestmark = pytest.mark.browser


def test_a_round_shows_a_page_in_every_width_theme_and_language(studio: Studio, tmp_path: Path) -> None:
    said: list[str] = []
    found = shooting.take_all(
        studio.address, tmp_path, personas=["finance", "nobody"], pattern="^(admin:index|sign_in)$", say=said.append
    )
    assert found.faults == []
    assert said == ["finance: 8 pictures of 1 pages", "nobody: 8 pictures of 1 pages"]
    assert {path.name for path in (tmp_path / "finance").iterdir()} == {
        f"index.{language}.{width}.{theme}.jpg"
        for language in ("en", "zh-hans")
        for width in (1440, 390)
        for theme in ("light", "dark")
    }
    with Image.open(tmp_path / "finance" / "index.zh-hans.1440.dark.jpg") as dark:
        assert max(dark.convert("L").resize((1, 1)).getextrema()) < 90
    assert (tmp_path / "finance.1.jpg").exists()


def test_a_page_that_breaks_its_policy_is_told(studio: Studio, tmp_path: Path) -> None:
    page = studio.page()
    page.goto("/login/")
    page.evaluate("document.body.appendChild(document.createElement('p')).setAttribute('style', 'color: red')")
    page.wait_for_timeout(100)
    assert "style-src 'self'" in studio.errors.pop()
    assert studio.errors == []
