"""Lots remember what they go on with."""

from django.db import migrations

from apps.core.migration import again


class Migration(migrations.Migration):
    dependencies = [("points", "0013_points_move")]
    operations = [again("points", "post")]
