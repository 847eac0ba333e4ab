"""A file that is taken back takes back the opening balances that it brought, and no other file's."""

from django.db import migrations

from apps.core.migration import again


class Migration(migrations.Migration):
    dependencies = [("points", "0016_opening_again")]
    operations = [again("points", "opening")]
