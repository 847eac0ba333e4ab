"""What rules gather of members' events, and the tags that they give."""

import django.db.models.deletion
from django.db import migrations, models

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("rules", "0010_reviews"), ("members", "0007_tags")]
    operations = [
        migrations.CreateModel(
            name="Progress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=20, verbose_name="what is gathered")),
                ("start", models.DateField(verbose_name="first day")),
                ("value", models.DecimalField(decimal_places=6, default=0, max_digits=24, verbose_name="sum")),
                ("state", models.JSONField(default=dict, verbose_name="values")),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
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
            ],
            options={
                "verbose_name": "progress",
                "verbose_name_plural": "progress of members",
                "constraints": [
                    models.UniqueConstraint(fields=("member", "start", "rule", "name"), name="progress_once")
                ],
            },
        ),
        sql_file("rules", "pipeline"),
    ]
