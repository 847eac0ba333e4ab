from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("rules", "0002_guards"), ("activity", "0005_record"), ("points", "0003_post")]
    operations = [sql_file("rules", "pipeline")]
