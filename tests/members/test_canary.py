"""Promise P1: after a whole run personal data is found nowhere in clear: no table, queue, log, cache, file or message."""

import logging
from collections.abc import Iterator
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.urls import reverse

from apps.members import services
from apps.members.models import Member
from apps.members.services.reading import name_of
from tests.api.conftest import make_caller
from tests.factories import make_cast, make_group

NAME, BORN = "司马相如canary", date(1987, 6, 5)
PHONES = ("13987650001", "13987650002", "13987650003", "13987650004", "13987650005", "13987650006")
EMAIL = "canary.person@canary-mail.example"
IN_CLEAR = (NAME, "1987-06-05", EMAIL, "canary.person", *PHONES)
FILE = (
    "event_key,kind,member,occurred_at,member_kind,store,amount\n"
    f"c1,purchase,{PHONES[2]},2026-05-01T10:00:00,phone,S001,12.00\n"
    f"c2,purchase,{PHONES[3]},2026-05-01T10:00:00,phone,NOWHERE,12.00\n"
    f"c3,purchase,{PHONES[4]},yesterday,phone,S001,12.00\n"
    f"c4,refund,{PHONES[2]},2026-05-01T11:00:00,phone,S001,99.00\n"
)


def rows_in_clear(values: tuple[str, ...]) -> list[str]:
    """Every row of every table, in every schema, that holds one of `values` as text or as bytes."""
    found = []
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        for schema, table in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{schema}"."{table}" AS t')
            for (row,) in cursor.fetchall():
                found += [f"{schema}.{table}: {value}" for value in values if value in row or hexed(value) in row]
    return found


def hexed(value: str) -> str:
    return value.encode().hex()


def files_in_clear(folder: Path) -> list[str]:
    contents = ((path, path.read_bytes()) for path in folder.rglob("*") if path.is_file())
    return [str(path) for path, content in contents if any(value.encode() in content for value in IN_CLEAR)]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that anybody logs, however unimportant; the database's own statements are not logged."""
    with caplog.at_level(logging.DEBUG):
        yield caplog


@pytest.mark.faults
def test_personal_data_is_found_nowhere_in_clear(committed: str, logged: Any, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    cache.clear()
    group = make_group()
    cast = make_cast(group)

    # Through the admin: enrolled, refused, searched, revealed, changed, moved, closed, taken away as a file.
    service = Client()
    service.force_login(cast["service"], backend="apps.orgs.auth.RoleBackend")
    form = {"home_unit": group["S001"].pk, "attributes": "level = 1"}
    personal = {"phone": PHONES[0], "email": EMAIL, "name": NAME, "birth_on": BORN.isoformat()}
    service.post("/members/member/add/", {**form, **personal})
    member = Member.objects.get()
    assert name_of(member) == NAME
    service.post("/members/member/add/", {**form, **personal})
    service.post("/members/member/add/", {**form, "phone": PHONES[0], "name": NAME * 20})
    for term in (PHONES[0], EMAIL, NAME, f"{NAME} {PHONES[5]}", PHONES[5]):
        service.get("/members/member/", {"q": term})
        service.get("/members/member/export/", {"q": term}).getvalue()
        service.get("/search/", {"s": term})
    for page, sent in (
        ("reveal", {"reason": "caller"}), ("identify", {"kind": "phone", "value": PHONES[1]}),
        ("identify", {"kind": "phone", "value": PHONES[0]}), ("identify", {"kind": "email", "value": NAME}),
        ("state", {"state": "closed", "reason": "left"}), ("state", {"state": "active", "reason": "back"}),
    ):  # fmt: skip
        service.post(reverse(f"admin:members_member_{page}", args=[member.pk]), sent)
    shown = service.get(reverse("admin:members_member_change", args=[member.pk])).content.decode()
    assert NAME in shown
    assert PHONES[1] in shown
    service.post(
        reverse("admin:members_member_change", args=[member.pk]), {**form, "name": f"{NAME}2", "birth_on": "1987-06-05"}
    )
    service.get(f"/members/member/{member.pk}/history/")

    # Over the API, and from a file.
    scopes = ["members:read", "members:write", "members:personal", "events:write"]
    crm = make_caller(group, scopes=scopes, code="crm")
    enrol = {"identifiers": [{"kind": "phone", "value": PHONES[5]}], "name": NAME, "birth_on": "1987-06-05"}
    for body in (enrol, enrol, {**enrol, "birth_on": NAME}, {**enrol, "identifiers": [{"kind": EMAIL, "value": NAME}]}):
        crm.post("members", body)
    assert Member.objects.count() == 2
    crm.get(f"members?identifier=phone:{PHONES[5]}")
    crm.get(f"members?identifier={PHONES[5]}")
    event = {"key": "a1", "kind": "check_in", "member": {"kind": "phone", "value": PHONES[0]},
             "occurred_at": "2026-05-01T10:00:00Z", "store": "S001"}  # fmt: skip
    crm.post("events", event)
    crm.post("events", {**event, "key": "a2", "member": {"kind": "phone", "value": PHONES[4]}})
    path = tmp_path / "events.csv"
    path.write_text(FILE)
    with pytest.raises(SystemExit):
        call_command("import_events", str(path), program="east", enrol=True, stdout=StringIO(), stderr=StringIO())
    path.unlink()
    assert services.find_by_identifier(None, "phone", PHONES[2]) is not None

    assert rows_in_clear(("138", "S001"))  # the search finds what is there
    assert rows_in_clear(IN_CLEAR) == []
    assert [value for value in IN_CLEAR if value in logged.text] == []
    assert [value for value in IN_CLEAR if value in str(getattr(cache, "_cache", ""))] == []
    assert [value for row in Session.objects.all() for value in IN_CLEAR if value in str(row.get_decoded())] == []
    assert files_in_clear(tmp_path) == []
