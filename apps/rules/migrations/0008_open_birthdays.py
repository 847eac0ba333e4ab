from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("rules", "0007_measured_limits"), ("activity", "0011_record_birthdays")]
    operations = [sql_file("rules", "pipeline")]
