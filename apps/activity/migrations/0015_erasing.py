from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("activity", "0014_was_brought"), ("members", "0019_erasing")]
    operations = [sql_file("activity", "erasing")]
