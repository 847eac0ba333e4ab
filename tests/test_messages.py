"""Both languages are equal: no text of the sources lacks its Chinese, and what stands for a value stays."""

import re
from pathlib import Path

import polib
import pytest
from django.conf import settings

from apps.core import messages

ROOT = Path(settings.BASE_DIR)
CATALOGUES = [path for home in messages.homes(ROOT) if (path := messages.catalogue_of(home)).exists()]
VALUES = re.compile(r"%\(\w+\)[sd]|\{\w*\}")


def chinese_of(entry: polib.POEntry) -> str:
    return str(entry.msgstr or entry.msgstr_plural[0])


def test_no_text_lacks_its_chinese() -> None:
    assert messages.missing(ROOT) == []


def test_brackets_in_a_text_of_a_page_hide_nothing(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "{% load i18n %}<th>{% blocktranslate %}When ({{ zone }})?{% endblocktranslate %}</th>", encoding="utf-8"
    )
    assert [text.singular for text in messages.texts_of(page)] == ["When (%(zone)s)?"]


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-5])
def test_a_translation_keeps_the_values_of_its_text(path: Path) -> None:
    said = {
        entry.msgid: (set(VALUES.findall(entry.msgid_plural or entry.msgid)), set(VALUES.findall(chinese_of(entry))))
        for entry in polib.pofile(str(path))
        if entry.translated()
    }
    assert {text for text, (english, chinese) in said.items() if english != chinese} == set()


def test_a_text_means_one_thing_in_every_room() -> None:
    """Django takes the first catalogue that has a text; another translation elsewhere would never be seen."""
    said: dict[tuple[str, str], set[str]] = {}
    for path in CATALOGUES:
        for entry in polib.pofile(str(path)):
            if entry.translated():
                said.setdefault((entry.msgid, entry.msgctxt or ""), set()).add(chinese_of(entry))
    assert {text: found for text, found in said.items() if len(found) > 1} == {}
