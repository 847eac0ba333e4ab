from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("activity", "0007_encrypted_rows")]
    operations = [sql_file("activity", "history")]
