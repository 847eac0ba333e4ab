from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("approvals", "0008_titles"), ("core", "0005_doors")]
    operations = [sql_file("approvals", "blanking")]
