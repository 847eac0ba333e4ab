"""Points of rows that become one are added once."""

from django.db import migrations

from apps.core.migration import again


class Migration(migrations.Migration):
    dependencies = [("members", "0028_importing_again")]
    operations = [again("members", "importing")]
