"""Rows that bring what names somebody by now are refused where they are taken in, new members and known ones alike."""

from django.db import migrations

from apps.core.migration import again


class Migration(migrations.Migration):
    dependencies = [("members", "0039_refused_rows_are_not_first")]
    operations = [again("members", "importing")]
