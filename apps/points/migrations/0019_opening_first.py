"""Accounts of new members are made with what a file brings, instead of being made empty and filled."""

from django.db import migrations

from apps.core.migration import again


class Migration(migrations.Migration):
    dependencies = [("points", "0018_copies_unchecked")]
    operations = [again("points", "opening")]
