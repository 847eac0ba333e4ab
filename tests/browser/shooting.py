"""Pictures of every page as each persona, for the team's eyes, and the faults that show on the way.

Each page is opened once per persona and language and taken twice, English wide in light and narrow in dark, Chinese the
other way round, so that every width, theme and language is seen of every page. axe looks at the English ones of the first
persona that may open a page.
"""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connections
from django.db.models import Count
from django.urls import reverse
from PIL import Image, ImageDraw
from playwright.sync_api import Page

from apps.orgs.models import Persona, Staff
from apps.points.models import Account
from apps.rules.models import CodeBatch, Rule
from tests.browser.driving import Studio, axe_findings, chromium
from tests.security.routes import ModelPage, Route, RowPage, SitePage, every_route, row_of

WIDE, NARROW = (1440, 900), (390, 844)
VIEWS = ((WIDE, "light"), (WIDE, "dark"), (NARROW, "light"), (NARROW, "dark"))
LANGUAGES = ("en", "zh-hans")
NOBODY = "nobody"
PERSONAS = [NOBODY, *(persona.value for persona in Persona)]
PAGES_OF_NOBODY = ("sign_in",)
NOWHERE = "/no/such/page/"
NO_PICTURE = ("export", "bare", "delete")
SWITCH = """theme => {
    localStorage.setItem("adminTheme", JSON.stringify(theme));
    const root = document.documentElement;
    if (root._x_dataStack) Alpine.$data(root).adminTheme = theme;
    else root.classList.toggle("dark", theme === "dark");
}"""
SETTLED = 250
"""Milliseconds until the colours of a theme have reached every part, charts included."""
THUMBNAIL = (300, 225)
ROWS = 12
"""Pages on one contact sheet."""


@dataclass
class Round:
    """What a round of pictures found."""

    folder: Path
    pictures: list[Path] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    looked_at: set[str] = field(default_factory=set)
    """Pages that axe has seen."""


def take_all(
    address: str, folder: Path, *, personas: list[str], pattern: str = "", workers: int = 2, say: Callable[[str], None]
) -> Round:
    """Visits every page whose name or address matches `pattern` as each of `personas`; pictures lie in `folder`."""
    found = Round(folder)
    with ThreadPoolExecutor(workers) as threads:
        for line in threads.map(lambda persona: _take_persona(address, persona, pattern, found), personas):
            say(line)
    for persona in personas:
        _contact_sheets(folder, persona)
    return found


def _take_persona(address: str, persona: str, pattern: str, found: Round) -> str:
    person = None if persona == NOBODY else Staff.objects.get(username=persona)
    pages = {name: path for name, path in addresses_of(person) if re.search(pattern, name) or re.search(pattern, path)}
    with chromium() as browser:
        studio = Studio(address, browser)
        for language in LANGUAGES:
            page = studio.page(person, language=language)
            for name, path in pages.items():
                _take_page(page, persona, language, name, path, found)
        studio.close_pages()
    connections.close_all()
    found.faults += [f"{persona}: {error}" for error in studio.errors]
    return f"{persona}: {sum(file.parent.name == persona for file in found.pictures)} pictures of {len(pages)} pages"


def _take_page(page: Page, persona: str, language: str, name: str, path: str, found: Round) -> None:
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    answer = page.goto(path)
    is_refused = answer is None or answer.status in (403, 404)
    if is_refused and path != NOWHERE:
        return
    page.evaluate("document.fonts.ready.then(() => true)")
    for size, theme in VIEWS:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.evaluate(SWITCH, theme)
        page.wait_for_timeout(SETTLED)
        file = found.folder / persona / f"{_file_name(name)}.{language}.{size[0]}.{theme}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(file), full_page=True, type="jpeg", quality=70)
        found.pictures.append(file)
        seen = f"{name} {size} {theme}"
        if language == "en" and seen not in found.looked_at:
            found.looked_at.add(seen)
            found.faults += [f"{persona} {path} {size[0]} {theme}: axe: {each}" for each in axe_findings(page)]


def _file_name(name: str) -> str:
    return re.sub(r"[^\w-]+", "-", name.removeprefix("admin:")).strip("-")


def addresses_of(person: Staff | None) -> Iterator[tuple[str, str]]:
    """Name and address of every page that `person` may have, with the newest row they see where one is needed."""
    for route in every_route():
        row = row_of(route)
        if person is None:
            if route.name in PAGES_OF_NOBODY:
                yield route.name, route.path()
        elif (path := _address(route, row, person)) is not None:
            yield route.name, path
    if person is not None:
        yield "nothing here", NOWHERE


def _address(route: Route, row: Any, person: Staff) -> str | None:
    if isinstance(row, SitePage):
        is_page = row.get == 200 and not route.path(**dict(row.values)).startswith("/api/")
        return (
            route.path(**dict(row.values)) if is_page and route.name not in ("admin:jsi18n", "admin:search") else None
        )
    if isinstance(row, ModelPage) and row.kind in NO_PICTURE:
        return None
    # A card alone, which its page asks for again and again, is no page.
    if isinstance(row, RowPage) and (200 not in row.get or route.name.endswith("_progress")):
        return None
    if isinstance(row, ModelPage | RowPage):
        if not route.parameters:
            return route.path()
        model = row.model if isinstance(row, ModelPage) else apps.get_model(row.model)
        newest = model._default_manager.visible_to(person).order_by("-pk").first()
        return route.path(object_id=newest.pk) if newest is not None else None
    return None


def _contact_sheets(folder: Path, persona: str) -> None:
    """The persona's pictures, a page a row, `persona.1.jpg` and so on."""
    pages: dict[str, list[Path]] = {}
    for file in sorted((folder / persona).glob("*.jpg")):
        pages.setdefault(file.name.partition(".")[0], []).append(file)
    names = list(pages)
    width, height = THUMBNAIL
    for number, start in enumerate(range(0, len(names), ROWS), start=1):
        rows = names[start : start + ROWS]
        sheet = Image.new("RGB", (4 * (width + 8), len(rows) * (height + 24)), "#888")
        pen = ImageDraw.Draw(sheet)
        for y, name in enumerate(rows):
            pen.text((6, y * (height + 24) + 5), f"{persona}: {name}", fill="#fff")
            for x, file in enumerate(pages[name][:4]):
                with Image.open(file) as picture:
                    picture = picture.crop((0, 0, picture.width, min(picture.height, picture.width * 3 // 2)))
                    picture.thumbnail(THUMBNAIL)
                    sheet.paste(picture, (x * (width + 8), y * (height + 24) + 22))
        sheet.save(folder / f"{persona}.{number}.jpg", quality=80)


@dataclass(frozen=True)
class Picture:
    """A picture of the README: whose page, and how it is taken."""

    name: str
    persona: str
    address: Callable[[Staff | None], str]
    language: str = "en"
    size: tuple[int, int] = WIDE
    theme: str = "light"
    part: str = ""
    """What stands at the top of the picture; without it, the page's own top."""


def take_readme(address: str, folder: Path) -> list[Path]:
    """Takes the README's pictures from the demo data of this installation."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    with chromium() as browser:
        studio = Studio(address, browser)
        for picture in PICTURES:
            person = None if picture.persona == NOBODY else Staff.objects.get(username=picture.persona)
            width, height = picture.size
            page = studio.page(person, language=picture.language, width=width, height=height, theme=picture.theme)
            page.goto(picture.address(person))
            page.evaluate("document.fonts.ready.then(() => true)")
            page.wait_for_load_state("networkidle")
            if picture.part:
                page.locator(picture.part).evaluate("part => { part.scrollIntoView(); scrollBy(0, -16); }")
            files.append(folder / f"{picture.name}.png")
            page.screenshot(path=str(files[-1]))
        studio.close_pages()
    return files


def _busiest_member(person: Staff | None) -> str:
    account = Account.objects.visible_to(person).order_by("-earned_total")[0]
    return f"/members/member/{account.member_id}/change/"


def _busiest_rule(person: Staff | None) -> str:
    """The rule with the most versions."""
    rule = Rule.objects.visible_to(person).annotate(count=Count("versions")).order_by("-count", "pk")[0]
    return f"/rules/rule/{rule.pk}/change/"


def _newest_batch(person: Staff | None) -> str:
    batch = CodeBatch.objects.visible_to(person).order_by("-pk")[0]
    return f"/rules/codebatch/{batch.pk}/change/"


PICTURES = (
    Picture("sign-in", NOBODY, lambda person: "/login/"),
    Picture("home", "marketing", lambda person: "/"),
    Picture("rules", "marketing", lambda person: "/rules/rule/"),
    Picture("rule", "marketing", _busiest_rule),
    Picture("templates", "marketing", lambda person: reverse("admin:rules_rule_gallery")),
    Picture(
        "editor",
        "marketing",
        lambda person: reverse("admin:rules_rule_add") + "?template=larger-orders",
        part="[data-rule-editor]",
    ),
    Picture(
        "editor-zh",
        "marketing",
        lambda person: reverse("admin:rules_rule_add") + "?template=campaign-budget",
        language="zh-hans",
        theme="dark",
        part="[data-rule-editor]",
    ),
    Picture(
        "goal",
        "marketing",
        lambda person: reverse("admin:rules_rule_add") + "?template=stamp-card",
        part="[data-rule-editor]",
    ),
    Picture("codes", "marketing", _newest_batch),
    Picture("inbox", "regional_manager", lambda person: reverse("admin:approvals_approvalrequest_inbox")),
    Picture("member", "service", _busiest_member),
    Picture("cost", "finance", lambda person: reverse("admin:reports_cost")),
    Picture("cost-zh", "finance", lambda person: reverse("admin:reports_cost"), language="zh-hans", theme="dark"),
    Picture("phone", "regional_manager", lambda person: "/", language="zh-hans", size=NARROW),
)
