from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("points", "0014_post_moved_lots")]
    operations = [sql_file("points", "forget_cells")]
