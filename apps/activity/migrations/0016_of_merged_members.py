"""What the studio itself tells of a member who was merged is the kept member's."""

from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("activity", "0015_erasing"), ("members", "0020_merges")]
    operations = [sql_file("activity", "record")]
