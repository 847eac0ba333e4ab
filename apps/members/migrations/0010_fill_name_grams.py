"""Reads the names that are there, chunk by chunk. One that no key opens is not found by its parts."""

from typing import Any

from django.db import migrations

from apps.members.crypto import open_sealed
from apps.members.errors import Unreadable
from apps.members.names import grams_of

CHUNK = 2_000


def fill(apps: Any, schema_editor: Any) -> None:
    everybody = apps.get_model("members", "Member").objects.using(schema_editor.connection.alias)
    members = everybody.filter(name_cipher__isnull=False).order_by("pk")
    after = 0
    while chunk := list(members.filter(pk__gt=after).only("name_cipher")[:CHUNK]):
        after = chunk[-1].pk
        for member in chunk:
            try:
                member.name_grams = grams_of(open_sealed(member.name_cipher, "name")) or None
            except Unreadable:
                continue
        everybody.bulk_update(chunk, ["name_grams"])


class Migration(migrations.Migration):
    dependencies = [("members", "0009_name_grams")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
