"""Nobody decides in the place of somebody for whom they do not stand in, not by raw SQL either."""

from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("approvals", "0006_absences")]
    operations = [sql_file("approvals", "stands_in")]
