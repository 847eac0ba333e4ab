"""Rules of a unit in the place of one from above it."""

import django.db.models.deletion
from django.db import migrations, models

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("orgs", "0005_rules_reviewed"),
        ("rules", "0012_days_told"),
    ]

    operations = [
        migrations.AddField(
            model_name="historicalrule",
            name="allows_override",
            field=models.BooleanField(
                default=False,
                help_text="A unit below may put a rule of its own in the place of this one.",
                verbose_name="may be overridden",
            ),
        ),
        migrations.AddField(
            model_name="historicalrule",
            name="overrides",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="rules.rule",
                verbose_name="in place of",
            ),
        ),
        migrations.AddField(
            model_name="historicalruleversion",
            name="overridden_number",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="made from version"),
        ),
        migrations.AddField(
            model_name="rule",
            name="allows_override",
            field=models.BooleanField(
                default=False,
                help_text="A unit below may put a rule of its own in the place of this one.",
                verbose_name="may be overridden",
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="overrides",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="overridden_by",
                to="rules.rule",
                verbose_name="in place of",
            ),
        ),
        migrations.AddField(
            model_name="ruleversion",
            name="overridden_number",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="made from version"),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.UniqueConstraint(fields=("overrides", "unit"), name="rule_one_override_of_a_unit"),
        ),
        sql_file("rules", "overrides"),
    ]
