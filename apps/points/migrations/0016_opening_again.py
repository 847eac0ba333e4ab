"""The key of an opening balance is written in line: a studio that stands already asks a function for each."""

from django.db import migrations

from apps.core.migration import again


class Migration(migrations.Migration):
    dependencies = [("points", "0015_forget_cells"), ("members", "0028_importing_again")]
    operations = [again("points", "opening")]
