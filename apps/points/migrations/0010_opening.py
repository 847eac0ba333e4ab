from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("points", "0009_opening_balances"), ("members", "0014_importing")]
    operations = [sql_file("points", "opening")]
