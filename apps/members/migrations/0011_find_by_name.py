"""The index of the hashes, built when they are there."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("members", "0010_fill_name_grams")]
    operations = [
        migrations.AddIndex(model_name="member", index=GinIndex(fields=["name_grams"], name="member_name_grams"))
    ]
