"""Rows that become one by way of each other lose no points."""

from django.db import migrations

from apps.core.migration import again


class Migration(migrations.Migration):
    dependencies = [("members", "0035_states_at_once")]
    operations = [again("members", "importing")]
