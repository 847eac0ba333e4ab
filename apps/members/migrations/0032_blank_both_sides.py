"""What was said when a merge was asked for is blanked with either of the two."""

from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("members", "0031_verified_in_words")]
    operations = [sql_file("members", "blanking")]
