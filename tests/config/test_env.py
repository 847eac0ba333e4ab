"""A wrong value of the environment is refused by its name, and never repeated: it may be a secret."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from config.env import Environment, WrongSetting

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
BROKERS = ("redis", "rediss", "amqp", "amqps")

Reader = Callable[[Environment], Any]
READERS: dict[str, Reader] = {
    "text": lambda env: env.text("X"),
    "boolean": lambda env: env.boolean("X", True),
    "port": lambda env: env.integer("X", 8000, 1, 65535),
    "choice": lambda env: env.choice("X", "local", ("local", "production")),
    "hosts": lambda env: env.hosts("X", "localhost"),
    "secret": lambda env: env.secret("X", 8),
    "key": lambda env: env.key("X"),
    "key ring": lambda env: env.key_ring("X"),
    "broker": lambda env: env.address("X", BROKERS),
    "database": lambda env: env.database("X"),
    "mail": lambda env: env.mail("X"),
    "sender": lambda env: env.sender("X", "studio@localhost"),
}


@pytest.mark.parametrize(
    ("kind", "given", "read"),
    [
        ("text", " hello ", "hello"),
        ("boolean", "off", False),
        ("boolean", "", True),
        ("port", "", 8000),
        ("port", "65535", 65535),
        ("choice", "production", "production"),
        ("hosts", "", ["localhost"]),
        ("hosts", "studio.example.com, .example.cn,[::1],", ["studio.example.com", ".example.cn", "[::1]"]),
        ("secret", "12345678", "12345678"),
        ("key", KEY, KEY),
        ("key ring", f"1:{KEY},12:{KEY}", f"1:{KEY},12:{KEY}"),
        ("broker", "", ""),
        ("broker", "rediss://:word@broker.example.com:6380/1", "rediss://:word@broker.example.com:6380/1"),
        ("database", "", None),
        ("mail", "", None),
        ("sender", "", "studio@localhost"),
        ("sender", "Studio <studio@example.com>", "Studio <studio@example.com>"),
    ],
)
def test_a_right_value_is_read(kind: str, given: str, read: object) -> None:
    assert READERS[kind](Environment({"X": given})) == read


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("text", " "),
        ("boolean", "maybe"),
        ("port", "0"),
        ("port", "65536"),
        ("port", "80a"),
        ("choice", "staging"),
        ("hosts", "https://studio.example.com"),
        ("hosts", "studio.example.com:8000"),
        ("hosts", "*"),
        ("secret", "1234567"),
        ("key", KEY[:-4]),
        ("key", "not/base64!"),
        ("key ring", ""),
        ("key ring", KEY),
        ("key ring", f"0:{KEY}"),
        ("key ring", f"65536:{KEY}"),
        ("key ring", f"1:{KEY},1:{KEY}"),
        ("key ring", f"1:{KEY},2:c2hvcnQ="),
        ("broker", "http://broker.example.com"),
        ("broker", "redis://"),
        ("broker", "redis://broker.example.com:none"),
        ("database", "mysql://studio@db/studio"),
        ("database", "postgresql://db.example.com"),
        ("database", "postgresql://db:none/studio"),
        ("mail", "http://mail.example.com"),
        ("mail", "smtp+tls://"),
        ("mail", "smtp://mail.example.com:none"),
        ("mail", "smtp://mail.example.com/inbox"),
        ("mail", "smtps://hunter2@mail.example.com"),
        ("sender", "Studio"),
        ("sender", "studio@example.com\nBcc: all@example.com"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(kind: str, given: str) -> None:
    with pytest.raises(WrongSetting, match=r"^X is wrong: expected ") as refused:
        READERS[kind](Environment({"X": given}))
    assert not given.strip() or f" {given}." not in str(refused.value)


def test_a_database_is_read_from_its_address() -> None:
    address = "postgresql://studio%40app:p%2Fw@db.example.com:6432/studio?sslmode=require"
    assert Environment({"X": address}).database("X") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "studio",
        "USER": "studio@app",
        "PASSWORD": "p/w",
        "HOST": "db.example.com",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "require"},
    }


def test_the_folder_of_a_socket_is_read_from_the_query() -> None:
    read = Environment({"X": "postgresql:///studio?host=/run/postgresql"}).database("X")
    assert read is not None
    assert (read["HOST"], read["OPTIONS"]) == ("/run/postgresql", {})


def test_a_mail_server_is_read_from_its_address() -> None:
    read = Environment({"X": "smtp+tls://studio%40example.com:p%2Fw@mail.example.com"}).mail("X")
    assert read == {
        "EMAIL_HOST": "mail.example.com",
        "EMAIL_PORT": 587,
        "EMAIL_HOST_USER": "studio@example.com",
        "EMAIL_HOST_PASSWORD": "p/w",
        "EMAIL_USE_TLS": True,
        "EMAIL_USE_SSL": False,
    }
    implicit = Environment({"X": "smtps://mail.example.com:4650"}).mail("X")
    assert implicit is not None
    assert (implicit["EMAIL_PORT"], implicit["EMAIL_USE_SSL"], implicit["EMAIL_HOST_USER"]) == (4650, True, "")
