from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("segments", "0001_initial"), ("core", "0002_guards")]
    operations = [sql_file("segments", "guards")]
