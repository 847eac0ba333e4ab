"""What a history says of somebody who was taken out of it again goes when they are erased."""

from django.db import migrations

from apps.core.migration import again


class Migration(migrations.Migration):
    dependencies = [("members", "0033_blocked_by_the_whole")]
    operations = [again("members", "blanking")]
