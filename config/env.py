"""Reads settings from the environment and refuses a wrong value by its name.

Every reader returns a typed value or raises `WrongSetting`, whose text names the variable, says what
was expected and never repeats the value (it may be a secret).
"""

import base64
import os
import re
from collections.abc import Mapping
from email.utils import parseaddr
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_HOST = re.compile(r"\.?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")

_MAIL = re.compile(r"[^\s@<>,]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, altchars=b"-_", validate=True)) == 32
    except ValueError:
        return False


class WrongSetting(ImproperlyConfigured):
    """A variable of the environment holds a value the studio cannot start with."""

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(f"{name} is wrong: expected {expected}.")
        self.name = name


class Environment:
    """Typed readers over a mapping of variables, `os.environ` unless a test hands in its own."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self.variables = os.environ if variables is None else variables

    def text(self, name: str, default: str | None = None) -> str:
        value = self.variables.get(name, "").strip()
        if value:
            return value
        if default is None:
            raise WrongSetting(name, "a value, and none is set")
        return default

    def boolean(self, name: str, default: bool) -> bool:
        value = self.text(name, "true" if default else "false").lower()
        if value in ("true", "1", "yes", "on"):
            return True
        if value in ("false", "0", "no", "off"):
            return False
        raise WrongSetting(name, "true or false")

    def integer(self, name: str, default: int, lowest: int, highest: int) -> int:
        """A whole number, both ends included."""
        value = self.text(name, str(default))
        try:
            number = int(value)
        except ValueError:
            raise WrongSetting(name, f"a whole number from {lowest} to {highest}") from None
        if not lowest <= number <= highest:
            raise WrongSetting(name, f"a whole number from {lowest} to {highest}")
        return number

    def listed(self, name: str, default: str | None = "") -> list[str]:
        """A comma-separated list; empty parts are dropped."""
        return [part.strip() for part in self.text(name, default).split(",") if part.strip()]

    def hosts(self, name: str, default: str | None) -> list[str]:
        """Names under which the studio answers; `.example.com` takes the names below it too."""
        hosts = self.listed(name, default)
        if not all(_HOST.fullmatch(host) for host in hosts):
            raise WrongSetting(name, "host names with commas between them, without https:// and without a port")
        return hosts

    def secret(self, name: str, shortest: int) -> str:
        value = self.text(name)
        if len(value) < shortest:
            raise WrongSetting(name, f"at least {shortest} characters")
        return value

    def key(self, name: str) -> str:
        """32 random bytes in URL-safe base64."""
        value = self.text(name)
        if not _is_key(value):
            raise WrongSetting(name, "32 random bytes in URL-safe base64")
        return value

    def key_ring(self, name: str) -> str:
        """`1:key,2:key`: numbered keys, of which the one with the highest number encrypts."""
        numbers, keys = [], []
        for part in self.listed(name, None):
            number, _, key = part.partition(":")
            numbers.append(int(number) if number.isdecimal() else 0)
            keys.append(key)
        if not all(0 < number < 1 << 16 for number in numbers) or not all(map(_is_key, keys)):
            raise WrongSetting(name, "numbered keys such as 1:KEY,2:KEY, each of 32 random bytes in URL-safe base64")
        if len(set(numbers)) < len(numbers):
            raise WrongSetting(name, "every number once")
        return self.text(name)

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise WrongSetting(name, "one of " + ", ".join(allowed))
        return value

    def address(self, name: str, schemes: tuple[str, ...]) -> str:
        """A URL with a host and one of `schemes`, or nothing."""
        url = self.text(name, "")
        try:
            parts = urlsplit(url)
            is_right = not url or (parts.scheme in schemes and bool(parts.hostname) and parts.port != 0)
        except ValueError:
            is_right = False
        if not is_right:
            raise WrongSetting(name, "an address that begins with " + ", ".join(f"{scheme}://" for scheme in schemes))
        return url

    def mail(self, name: str) -> dict[str, object] | None:
        """`smtp+tls://user:password@host:587` as Django's settings of a mail server, or None when unset.

        `smtp+tls` begins in the open and turns to TLS before anything is said, `smtps` is TLS from the start, `smtp` is
        for a server on the same machine or network.
        """
        url = self.text(name, "")
        if not url:
            return None
        ports = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        is_plain = not parts.path.strip("/") and not parts.query and not parts.fragment
        if parts.scheme not in ports or not parts.hostname or port == 0 or not is_plain:
            raise WrongSetting(name, "smtp+tls://user:password@host:587, or smtps:// or smtp:// in its place")
        if bool(parts.username) != bool(parts.password):
            raise WrongSetting(name, "a user and a password, or neither")
        return {
            "EMAIL_HOST": parts.hostname,
            "EMAIL_PORT": port or ports[parts.scheme],
            "EMAIL_HOST_USER": unquote(parts.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
            "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
            "EMAIL_USE_SSL": parts.scheme == "smtps",
        }

    def sender(self, name: str, default: str) -> str:
        """`Loyalty Studio <studio@example.com>`: whom letters come from."""
        value = self.text(name, default)
        address = parseaddr(value)[1]
        if not _MAIL.fullmatch(address) or not value.isprintable():
            raise WrongSetting(name, "an e-mail address, such as Loyalty Studio <studio@example.com>")
        return value

    def database(self, name: str) -> dict[str, object] | None:
        """`postgresql://user:password@host:port/name` as Django's connection settings, or None when unset.

        `host` may also be given as a query parameter, for the folder of a socket.
        """
        url = self.text(name, "")
        if not url:
            return None
        expected = "postgresql://user:password@host:port/name"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise WrongSetting(name, expected) from None
        query = dict(parse_qsl(parts.query))
        host = query.pop("host", None) or parts.hostname or ""
        if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
            raise WrongSetting(name, expected)
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.strip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": host,
            "PORT": str(port or ""),
            "OPTIONS": dict(query),
        }
