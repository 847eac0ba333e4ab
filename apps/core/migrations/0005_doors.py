from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("core", "0004_broker")]
    operations = [sql_file("core", "doors")]
