"""Reads the dates of birth that are there, chunk by chunk. One that no key opens stays unknown to conditions."""

from datetime import date
from typing import Any

from django.db import migrations

from apps.members.crypto import open_sealed
from apps.members.errors import Unreadable

CHUNK = 2_000


def fill(apps: Any, schema_editor: Any) -> None:
    everybody = apps.get_model("members", "Member").objects.using(schema_editor.connection.alias)
    members = everybody.filter(birth_on_cipher__isnull=False).order_by("pk")
    after = 0
    while chunk := list(members.filter(pk__gt=after).only("birth_on_cipher")[:CHUNK]):
        after = chunk[-1].pk
        for member in chunk:
            try:
                born = date.fromisoformat(open_sealed(member.birth_on_cipher, "birth_on"))
            except Unreadable:
                continue
            member.birth_day, member.birth_year = born.month * 100 + born.day, born.year
        everybody.bulk_update(chunk, ["birth_day", "birth_year"])


class Migration(migrations.Migration):
    dependencies = [("members", "0005_birthdays")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
