from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("activity", "0004_guards")]
    operations = [sql_file("activity", "record")]
