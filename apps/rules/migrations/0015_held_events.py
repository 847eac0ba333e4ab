"""Events held for review, and what was decided on them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("activity", "0012_recent"),
        ("members", "0006_fill_birthdays"),
        ("rules", "0014_friends"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HeldEvent",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="held_event",
                        serialize=False,
                        to="activity.event",
                        verbose_name="event",
                    ),
                ),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rules.rule",
                        verbose_name="rule",
                    ),
                ),
                ("rule_version_id", models.BigIntegerField(verbose_name="rule version")),
            ],
            options={
                "verbose_name": "event held for review",
                "verbose_name_plural": "events held for review",
                "permissions": [("decide_heldevent", "Can decide on points held for review")],
            },
        ),
        migrations.CreateModel(
            name="HeldDecision",
            fields=[
                (
                    "held_event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="decision",
                        serialize=False,
                        to="rules.heldevent",
                        verbose_name="event held for review",
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        choices=[("released", "Released"), ("refused", "Refused")],
                        max_length=8,
                        verbose_name="decision",
                    ),
                ),
                ("points", models.BigIntegerField(verbose_name="points")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("decided_at", models.DateTimeField(verbose_name="decided at")),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
            ],
            options={
                "verbose_name": "decision on a held event",
                "verbose_name_plural": "decisions on held events",
            },
        ),
        sql_file("rules", "holding"),
        sql_file("rules", "pipeline"),
    ]
