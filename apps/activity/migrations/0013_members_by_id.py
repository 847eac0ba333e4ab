"""The studio may name a member by id."""

from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("activity", "0012_recent")]
    operations = [sql_file("activity", "record")]
