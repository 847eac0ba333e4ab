from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("points", "0002_guards")]
    operations = [sql_file("points", "post")]
