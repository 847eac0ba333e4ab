"""Tags that rules give members."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0006_fill_birthdays"),
    ]

    operations = [
        migrations.CreateModel(
            name="MemberTag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tag", models.CharField(max_length=60, verbose_name="tag")),
                ("from_on", models.DateField(verbose_name="from")),
                ("until_on", models.DateField(null=True, verbose_name="until before")),
                ("rule_id", models.BigIntegerField(verbose_name="rule")),
                ("event_id", models.BigIntegerField(verbose_name="event")),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tags",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "tag of a member",
                "verbose_name_plural": "tags of members",
                "indexes": [models.Index(fields=["event_id"], name="membertag_of_event")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("member", "tag", "rule_id", "from_on", "event_id"), name="membertag_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("until_on__isnull", True), ("until_on__gte", models.F("from_on")), _connector="OR"
                        ),
                        name="membertag_period",
                    ),
                ],
            },
        ),
    ]
