"""Of rows that are one, a refused one is not the first: what the others bring would be lost with it."""

from django.db import migrations

from apps.core.migration import again


class Migration(migrations.Migration):
    dependencies = [("members", "0038_history_at_once")]
    operations = [again("members", "importing")]
