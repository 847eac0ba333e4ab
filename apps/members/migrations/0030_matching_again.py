"""Rows of known members are the same until something is found to differ: most are written once less."""

from django.db import migrations

from apps.core.migration import again


class Migration(migrations.Migration):
    dependencies = [("members", "0029_decided_once")]
    operations = [again("members", "importing")]
