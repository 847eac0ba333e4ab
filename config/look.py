"""Addresses of the studio's own style, script and icon, as unfold's settings ask for them."""

from django.http import HttpRequest
from django.templatetags.static import static


def style(request: HttpRequest) -> str:
    return static("studio/studio.css")


def script(request: HttpRequest) -> str:
    return static("studio/studio.js")


def palette_script(request: HttpRequest) -> str:
    return static("studio/palette.js")


def bell_style(request: HttpRequest) -> str:
    return static("orgs/notices.css")


def bell_script(request: HttpRequest) -> str:
    return static("orgs/bell.js")


def icon(request: HttpRequest) -> str:
    return static("studio/icon.svg")
