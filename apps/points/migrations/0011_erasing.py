from django.db import migrations

from apps.core.migration import again, sql_file


class Migration(migrations.Migration):
    dependencies = [("points", "0010_opening"), ("members", "0019_erasing")]
    operations = [sql_file("points", "erasing"), again("points", "batch_failing")]
