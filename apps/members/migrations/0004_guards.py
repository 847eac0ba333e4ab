from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("members", "0003_looks_and_changes"), ("core", "0002_guards")]
    operations = [sql_file("members", "guards")]
