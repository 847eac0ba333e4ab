from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("points", "0004_reversed_index")]
    operations = [sql_file("points", "history")]
