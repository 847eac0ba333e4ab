"""The studio says of a member whether another one brought them."""

from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("activity", "0013_members_by_id"), ("members", "0008_referrers")]
    operations = [sql_file("activity", "record")]
