from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("members", "0018_privacy"), ("approvals", "0009_blanking")]
    operations = [sql_file("members", "erasing")]
