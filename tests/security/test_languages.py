"""Every page in Chinese speaks Chinese; what people typed stays as it is."""

import re
from html.parser import HTMLParser

from tests.security.conftest import Ask
from tests.security.planting import World
from tests.security.routes import ModelPage, Route, RowPage, SitePage, every_route, row_of
from tests.security.test_routes import rows_of

ENGLISH = re.compile(r"[A-Za-z]{2,}(?:[ ,;:’'-]+[A-Za-z]{2,}){2,}")
READ_ALOUD = {"title", "aria-label", "placeholder", "alt", "data-light", "data-dark", "data-auto"}
NOT_READ = {"script", "style", "code", "kbd"}
TYPED = re.compile(r"[=+\-@]?kanari\w+|East Coffee Club|West Coffee Club|Works here as \w+")
"""Data of the planted world."""


class Words(HTMLParser):
    """The text nodes of a page, and the attributes that are read."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside: list[str] = []
        self.feed(body)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # What is marked as of another language is meant to be.
        is_other = tag != "html" and "lang" in dict(attrs)
        if is_other or tag in NOT_READ or tag in self._inside:
            self._inside.append(tag)
        if not self._inside:
            self.texts += [value or "" for name, value in attrs if name in READ_ALOUD]

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.texts.append(data)


def address(world: World, persona: str, route: Route) -> str:
    """Where the page is, if it is one to read."""
    row = row_of(route)
    if isinstance(row, SitePage):
        return route.path(**dict(row.values)) if 200 in (row.get, row.stranger) else ""
    if isinstance(row, RowPage | ModelPage):
        if 200 not in (row.get if isinstance(row, RowPage) else (200,)) or route.name.endswith("_export"):
            return ""
        label = row.model if isinstance(row, RowPage) else row.model._meta.label_lower
        return route.path(object_id=1 if label == "orgs.role" else rows_of(world, persona, label)[0].pk)
    return ""


def test_chinese_pages_hold_no_english_sentence(world: World, ask: Ask) -> None:
    """Each page as the first who may open it; the home page, which is another for each, as all."""
    found: dict[str, set[str]] = {}
    read: set[str] = set()
    for persona in ("nobody", "auditor", "administrator", "service", "marketing", "integrator", "shop"):
        for route in every_route():
            path = address(world, persona, route)
            if not path or path.startswith("/api/") or (route.name in read and path != "/"):
                continue
            answer = ask(persona, "GET", path, headers={"Accept-Language": "zh-hans"})
            if answer.status_code != 200 or not answer.headers["Content-Type"].startswith("text/html"):
                continue
            read.add(route.name)
            for text in Words(answer.body.decode()).texts:
                for sentence in ENGLISH.findall(TYPED.sub("", text)):
                    found.setdefault(sentence, set()).add(f"{persona} {path}")
    assert found == {}
    assert len(read) > 60


def test_words_are_read_where_people_read_them() -> None:
    page = Words(
        '<p title="Close this now">是<b>Not yet done</b><script>let it be so</script><i lang="en">Left in English</i>'
    )
    assert [text for text in page.texts if ENGLISH.search(text)] == ["Close this now", "Not yet done"]
