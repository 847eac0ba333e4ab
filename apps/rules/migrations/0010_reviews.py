"""Reviews of drafts, and what holds while one is open."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("rules", "0009_codes"),
        ("orgs", "0005_rules_reviewed"),
    ]

    operations = [
        migrations.CreateModel(
            name="RuleReview",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("definition", models.JSONField(verbose_name="definition")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "In review"),
                            ("withdrawn", "Withdrawn"),
                            ("returned", "Returned"),
                            ("approved", "Approved"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("wished_start", models.DateTimeField(blank=True, null=True, verbose_name="wished start")),
                ("note", models.CharField(blank=True, max_length=500, verbose_name="word to the reviewer")),
                ("submitted_at", models.DateTimeField(verbose_name="sent at")),
                (
                    "writers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None, verbose_name="written by"
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided at")),
                ("answer", models.CharField(blank=True, max_length=500, verbose_name="the reviewer's words")),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.staff",
                        verbose_name="decided by",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reviews",
                        to="rules.rule",
                        verbose_name="rule",
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.staff",
                        verbose_name="sent by",
                    ),
                ),
            ],
            options={
                "verbose_name": "review of a rule",
                "verbose_name_plural": "reviews of rules",
                "ordering": ["rule_id", "-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")), fields=("rule",), name="rulereview_one_open"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state", "open"), ("decided_at__isnull", False), _connector="XOR"),
                        name="rulereview_decided",
                    ),
                ],
            },
        ),
        sql_file("rules", "reviews"),
    ]
