from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("reports", "0002_point_types_and_checks")]
    operations = [sql_file("reports", "fold"), sql_file("reports", "movement")]
