from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("points", "0007_adjustment_batches"),
        ("members", "0008_referrers"),
        ("orgs", "0007_people_and_time"),
    ]
    operations = [sql_file("points", "batches")]
