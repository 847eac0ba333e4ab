"""Finding codes, beside identifiers that know their source by now."""

from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("rules", "0019_program_files"), ("members", "0013_files_of_members")]
    operations = [sql_file("rules", "find_codes")]
