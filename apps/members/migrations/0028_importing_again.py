"""Files are matched and taken in by other functions than a studio that stands already has."""

from django.db import migrations

from apps.core.migration import again


class Migration(migrations.Migration):
    dependencies = [("members", "0027_orders_of_recognition")]
    operations = [again("members", "importing")]
