"""Limits: counters for every period, for members and for units."""

import django.db.models.deletion
from django.db import migrations, models

from apps.core.migration import sql_file

PERIODS = [
    ("day", "day"),
    ("week", "week"),
    ("month", "month"),
    ("quarter", "quarter"),
    ("year", "year"),
    ("ever", "ever"),
]


class Migration(migrations.Migration):
    dependencies = [("rules", "0004_drafts"), ("orgs", "0001_initial")]
    operations = [
        migrations.RemoveConstraint(model_name="counter", name="counter_once"),
        migrations.RenameField(model_name="counter", old_name="day", new_name="start"),
        migrations.AlterField(model_name="counter", name="start", field=models.DateField(verbose_name="first day")),
        migrations.AddField(
            model_name="counter",
            name="period",
            field=models.CharField(choices=PERIODS, default="day", max_length=8, verbose_name="period"),
        ),
        migrations.AddField(
            model_name="counter", name="times", field=models.IntegerField(default=0, verbose_name="times")
        ),
        migrations.AddConstraint(
            model_name="counter",
            constraint=models.UniqueConstraint(fields=("member", "start", "period", "rule"), name="counter_once"),
        ),
        migrations.CreateModel(
            name="UnitCounter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("period", models.CharField(choices=PERIODS, max_length=8, verbose_name="period")),
                ("start", models.DateField(verbose_name="first day")),
                ("points", models.BigIntegerField(default=0, verbose_name="points")),
                ("times", models.IntegerField(default=0, verbose_name="times")),
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
                (
                    "unit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.orgunit",
                        verbose_name="org unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "counter of a unit",
                "verbose_name_plural": "counters of units",
                "constraints": [
                    models.UniqueConstraint(fields=("rule", "unit", "period", "start"), name="unitcounter_once")
                ],
            },
        ),
        sql_file("rules", "pipeline"),
    ]
