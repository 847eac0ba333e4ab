"""Opening balances are taken back in linear time whatever the planner believes of the tables."""

from django.db import migrations

from apps.core.migration import again


class Migration(migrations.Migration):
    dependencies = [("points", "0019_opening_first")]
    operations = [again("points", "opening")]
