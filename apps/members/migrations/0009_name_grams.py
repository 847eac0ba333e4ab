"""The hashes by which members are found by a part of their name."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0008_referrers")]
    operations = [
        migrations.AddField(
            model_name="member",
            name="name_grams",
            field=ArrayField(base_field=models.IntegerField(), editable=False, null=True, size=None),
        )
    ]
