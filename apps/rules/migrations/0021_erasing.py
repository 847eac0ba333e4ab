from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("rules", "0020_find_codes"), ("members", "0019_erasing")]
    operations = [sql_file("rules", "erasing")]
