"""`rotate_keys`: everything under the newest key, whatever happens in between, and nothing lost beside it."""

import base64
import subprocess
from collections import Counter
from contextlib import suppress
from datetime import date
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps.activity.models import ROW, ImportRow
from apps.members import services
from apps.members.crypto import key_number, open_sealed
from apps.members.importing import sealed
from apps.members.importing import services as importing
from apps.members.models import Identifier, Member
from apps.members.services.reading import birthday_of, name_of, value_of
from apps.members.services.rotating import SEALED, rotate
from apps.points.services.batches import cells_of, post_batch, stage_batch
from tests.factories import CoffeeGroup, make_group
from tests.members.conftest import BORN, CARD, EMAIL, NAME, PHONE, WHEN
from tests.processes import kill, running, until

OLD, NEW = (f"{number}:" + base64.urlsafe_b64encode(bytes([number]) * 32).decode() for number in (1, 2))
BOTH = f"{OLD},{NEW}"


def keys_in_use() -> Counter[int]:
    return Counter(
        key_number(bytes(cipher))
        for sealed in SEALED
        for cipher in sealed.model.objects.values_list(sealed.column, flat=True)
        if cipher is not None
    )


@pytest.fixture
def old_wang(settings: Any, group: CoffeeGroup) -> Member:
    """A member written under the old key; from now on both are in the ring."""
    settings.PERSONAL_DATA_KEYS = OLD
    made = services.create_member(
        None, group["S001"], identifiers=[("phone", PHONE), ("email", EMAIL), ("card", CARD)], name=NAME, birth_on=BORN,
        when=WHEN,
    )  # fmt: skip
    settings.PERSONAL_DATA_KEYS = BOTH
    return made


def test_everything_comes_under_the_newest_key_and_reads_the_same(settings: Any, old_wang: Member) -> None:
    assert keys_in_use() == {1: 5}
    written = StringIO()
    call_command("rotate_keys", stdout=written, stderr=StringIO())
    assert written.getvalue() == "5 values encrypted again; all are under key 2.\n"
    assert keys_in_use() == {2: 5}
    settings.PERSONAL_DATA_KEYS = NEW
    member = Member.objects.get()
    assert (name_of(member), birthday_of(member)) == (NAME, BORN)
    assert {value_of(each) for each in Identifier.objects.all()} == {PHONE, EMAIL, CARD}
    assert services.find_by_identifier(None, "phone", PHONE) == member


def test_a_second_rotation_changes_nothing(old_wang: Member) -> None:
    list(rotate())
    before = list(Identifier.objects.order_by("pk").values_list("value_cipher", flat=True))
    assert list(rotate()) == []
    assert list(Identifier.objects.order_by("pk").values_list("value_cipher", flat=True)) == before


def test_a_change_made_meanwhile_is_kept(old_wang: Member) -> None:
    chunks = rotate(size=1)
    next(chunks)
    services.change_member(None, old_wang.pk, name="李雷", birth_on=None, when=WHEN)
    list(chunks)
    member = Member.objects.get()
    assert (name_of(member), birthday_of(member), keys_in_use()) == ("李雷", None, {2: 4})


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(old_wang: Member) -> None:
    phone = old_wang.identifiers.get(kind="phone")
    bent = bytes(phone.value_cipher)[:-1] + bytes([bytes(phone.value_cipher)[-1] ^ 1])
    Identifier.objects.filter(pk=phone.pk).update(value_cipher=bent)
    told = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("rotate_keys", "--chunk", "1", stdout=StringIO(), stderr=told)
    assert ended.value.code == 1
    assert f"members_identifier.value_cipher: row {phone.pk} cannot be read" in told.getvalue()
    assert keys_in_use() == {1: 1, 2: 4}


@pytest.mark.faults
def test_killed_half_way_it_goes_on_where_it_stopped(committed: str, settings: Any) -> None:
    unit = make_group()["S001"]
    settings.PERSONAL_DATA_KEYS = OLD
    services.enrol_many([("card", f"{n:05}", unit.pk, date(2026, 1, 1)) for n in range(4_000)], when=WHEN)
    settings.PERSONAL_DATA_KEYS = BOTH
    ring = {"PERSONAL_DATA_KEYS": BOTH, "LOOKUP_KEY": settings.LOOKUP_KEY}
    command = ("django", "rotate_keys", "--chunk", "10")
    with running(*command, stderr=subprocess.DEVNULL, **ring) as process:
        until(lambda: keys_in_use()[2] > 100)
        kill(process)
    assert 100 < keys_in_use()[2] < 4_000
    with running("django", "rotate_keys", "--chunk", "500", stderr=subprocess.DEVNULL, **ring) as process:
        assert process.wait(60) == 0
    assert keys_in_use() == {2: 4_000}
    cards = {open_sealed(each, "identifier:card") for each in Identifier.objects.values_list("value_cipher", flat=True)}
    assert cards == {f"{n:05}" for n in range(4_000)}


def test_staged_rows_of_every_room_and_files_on_disk_need_no_old_key(
    settings: Any, old_wang: Member, group: CoffeeGroup, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT, settings.PERSONAL_DATA_KEYS = tmp_path, OLD
    text = b"card,name\nC1,Ann\n" + b"C2,Li Lei\n" * 200_000
    job = importing.bring(None, BytesIO(text), "new.csv", group.east, when=WHEN)
    batch = stage_batch(
        None, BytesIO(f"member,points,note\n{CARD},7,\nC9,7,\n".encode()), "a.csv", group.east, when=WHEN
    )
    posted = stage_batch(None, BytesIO(f"member,points,note\n{CARD},7,\n".encode()), "b.csv", group.east, when=WHEN)
    post_batch(None, posted.pk, reason="gift", key="b", when=WHEN)
    path = tmp_path / "events.csv"
    path.write_text("event_key,kind,member,occurred_at,store\nc1,check_in,NOBODY,2026-05-01T10:00:00,S001\n")
    with suppress(SystemExit):
        call_command("import_events", str(path), program="east", stdout=StringIO(), stderr=StringIO())
    settings.PERSONAL_DATA_KEYS = BOTH
    assert [str(chunk.sealed) for chunk in rotate()][-3:] == [
        "activity_importrow.cipher", "points_adjustmentrow.cipher", "members_memberimport.path",
    ]  # fmt: skip
    assert list(rotate()) == []
    settings.PERSONAL_DATA_KEYS = NEW
    assert [cells_of(row.cipher)["member"] for row in batch.staged.order_by("line")] == [CARD, "C9"]
    row = ImportRow.objects.get()
    assert "NOBODY" in open_sealed(row.cipher, ROW)
    with sealed.opened(Path(job.path)) as content:
        assert content.read() == text
    assert list(tmp_path.rglob("*.fresh")) == []
