"""What members who brought others are to hear of them."""

import django.db.models.deletion
from django.db import migrations, models

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("activity", "0013_members_by_id"),
        ("members", "0008_referrers"),
        ("rules", "0013_overrides"),
    ]

    operations = [
        migrations.CreateModel(
            name="FriendWaiting",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="activity.event",
                        verbose_name="event",
                    ),
                ),
                (
                    "referrer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "friend's act waiting",
                "verbose_name_plural": "friends' acts waiting",
            },
        ),
        sql_file("rules", "pipeline"),
    ]
