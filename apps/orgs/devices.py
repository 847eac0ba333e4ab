"""Where a request comes from: its address, and the mark of a device on which the person has signed in before.

The mark is a signed cookie that names the account and the device. It lets nobody in: it only keeps guesses made
elsewhere from counting against this device (OWASP, “Slow down online guessing attacks with device cookies”).
"""

from secrets import token_urlsafe

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from apps.orgs.models import Staff
from apps.orgs.services import Visitor

COOKIE = "studio_device"
MAX_AGE = 365 * 24 * 3600


def visitor_of(request: HttpRequest, username: str) -> Visitor:
    """Who guesses at `username`; a device's mark counts for the account alone that it was given for."""
    try:
        name, device = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=MAX_AGE)
    except (signing.BadSignature, ValueError):
        name = device = ""
    return Visitor(address_of(request), device if name == username else "")


def mark_device(response: HttpResponse, person: Staff) -> None:
    """Remembers on the device that `person` signed in there."""
    value = signing.dumps([person.get_username(), token_urlsafe(16)], salt=COOKIE)
    response.set_cookie(
        COOKIE, value, max_age=MAX_AGE, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )


def address_of(request: HttpRequest) -> str:
    """The client's address: the one that the outermost of our own PROXY_HOPS proxies saw."""
    seen = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    hops = settings.PROXY_HOPS
    if hops and len(seen) >= hops:
        return seen[-hops]
    return str(request.META.get("REMOTE_ADDR", ""))
