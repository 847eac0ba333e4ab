"""What promise S10 asks of every answer: its headers, and pages in which nothing runs or is styled but from files of ours."""

import re
from html.parser import HTMLParser
from typing import Any

SHELL = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
PLAIN = SHELL.replace(" 'unsafe-eval'", "")
OTHERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
FETCHING = {"src", "href", "action", "formaction", "data", "poster", "srcset", "xlink:href"}


class Page(HTMLParser):
    """Collects what the policy forbids, so that nobody is told of it by a broken page."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        # A block of data is not run, whatever it holds.
        is_run = tag == "script" and not named.get("src") and named.get("type") != "application/json"
        if tag == "style" or is_run:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.faults.append(f"<{tag} {name}>")
            if name in FETCHING and re.match(r"\s*(https?:|//|javascript:|data:)", value or "", re.IGNORECASE):
                self.faults.append(f"<{tag} {name}={value}>")

    handle_startendtag = handle_starttag


def faults_of(answer: Any) -> list[str]:
    found = [
        f"{name}: {answer.headers.get(name)}" for name, value in OTHERS.items() if answer.headers.get(name) != value
    ]
    if answer.headers.get("Content-Security-Policy") not in (SHELL, PLAIN):
        found.append(f"Content-Security-Policy: {answer.headers.get('Content-Security-Policy')}")
    if "no-store" not in answer.headers.get("Cache-Control", ""):
        found.append(f"Cache-Control: {answer.headers.get('Cache-Control')}")
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        page = Page()
        page.feed(answer.body.decode())
        found += page.faults
    return found
