"""Files are held against those who were erased in one pass, however large they are."""

from django.db import migrations

from apps.core.migration import again


class Migration(migrations.Migration):
    dependencies = [("members", "0032_blank_both_sides")]
    operations = [again("members", "blocked")]
