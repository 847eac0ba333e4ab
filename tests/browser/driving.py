"""Driving real pages: a web server on the database of the moment, Chromium, and people who are signed in.

Shared by the browser tests and by `manage.py shots`.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import Client
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

# Playwright runs an event loop in this thread; the ORM is still used one statement at a time.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def web_server() -> Iterator[str]:
    """The address of the studio, served by this process from the database that it is pointed at."""
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    try:
        yield f"http://127.0.0.1:{thread.port}"
    finally:
        thread.terminate()


@dataclass
class Studio:
    """The running studio. Everything that goes wrong on its pages is kept in `errors`."""

    address: str
    browser: Browser
    errors: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def page(
        self, person: Any = None, *, language: str = "en", width: int = 1440, height: int = 900, theme: str = "light"
    ) -> Page:
        """A window in which `person` (or nobody) is signed in; `page.goto("/…")` takes addresses of the studio."""
        context = self.browser.new_context(
            base_url=self.address, viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        self._contexts.append(context)
        cookies = {"django_language": language}
        if person is not None:
            client = Client()
            client.force_login(person, backend="apps.orgs.auth.RoleBackend")
            cookies["sessionid"] = client.cookies["sessionid"].value
        context.add_cookies([{"name": name, "value": value, "url": self.address} for name, value in cookies.items()])
        context.add_init_script(f"localStorage.setItem('adminTheme', JSON.stringify('{theme}'))")
        page = context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(f"{page.url}: {error}"))
        page.on("response", self._response)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        # What a page is refused is told by its status, once.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(f"{message.page.url if message.page else ''}: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= 500 or (response.status >= 400 and response.request.resource_type != "document"):
            self.errors.append(f"{response.url}: {response.status}")

    def close_pages(self) -> None:
        for context in self._contexts:
            context.close()
        self._contexts.clear()


def axe_findings(page: Page) -> list[str]:
    """What axe finds on the page, one line per rule with the first element at fault; an empty list is the aim."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['help']} — {each['nodes'][0]['html'][:200]} ({len(each['nodes'])}×)" for each in found
    ]
