"""Documents of programmes that were brought in, or asked to be: kept as they were sent."""

import django.db.models.deletion
from django.db import migrations, models

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("rules", "0018_publications"), ("orgs", "0007_people_and_time")]
    operations = [
        migrations.CreateModel(
            name="ProgramFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, verbose_name="digest")),
                ("document", models.JSONField(verbose_name="document")),
                ("kept_at", models.DateTimeField(verbose_name="kept at")),
                (
                    "kept_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.staff",
                        verbose_name="kept by",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.program",
                        verbose_name="programme",
                    ),
                ),
            ],
            options={
                "verbose_name": "programme's document",
                "verbose_name_plural": "programmes' documents",
                "constraints": [models.UniqueConstraint(fields=("program", "digest"), name="programfile_once")],
            },
        ),
        sql_file("rules", "programfiles"),
    ]
