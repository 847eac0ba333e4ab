"""What rows are to become is said in one pass over them, without holding them against themselves."""

from django.db import migrations

from apps.core.migration import again


class Migration(migrations.Migration):
    dependencies = [("members", "0034_blank_undone_merges")]
    operations = [again("members", "importing")]
