from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("members", "0013_files_of_members")]
    operations = [sql_file("members", "importing")]
