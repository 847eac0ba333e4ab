"""Rules may ask whether another member brought the member."""

from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("rules", "0015_held_events"), ("activity", "0014_was_brought")]
    operations = [sql_file("rules", "pipeline")]
