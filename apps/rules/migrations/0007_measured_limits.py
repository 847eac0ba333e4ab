"""Limits of money, pieces and costs, and for a device."""

from django.db import migrations, models

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("rules", "0006_caps_become_limits"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="unitcounter",
            name="unitcounter_once",
        ),
        migrations.AddField(
            model_name="counter",
            name="amount_micros",
            field=models.BigIntegerField(default=0, verbose_name="amount, in millionths"),
        ),
        migrations.AddField(
            model_name="counter",
            name="cost_micros",
            field=models.BigIntegerField(default=0, verbose_name="cost, in millionths"),
        ),
        migrations.AddField(
            model_name="counter",
            name="pieces_micros",
            field=models.BigIntegerField(default=0, verbose_name="pieces, in millionths"),
        ),
        migrations.AddField(
            model_name="unitcounter",
            name="amount_micros",
            field=models.BigIntegerField(default=0, verbose_name="amount, in millionths"),
        ),
        migrations.AddField(
            model_name="unitcounter",
            name="cost_micros",
            field=models.BigIntegerField(default=0, verbose_name="cost, in millionths"),
        ),
        migrations.AddField(
            model_name="unitcounter",
            name="device",
            field=models.CharField(blank=True, default="", max_length=80, verbose_name="device"),
        ),
        migrations.AddField(
            model_name="unitcounter",
            name="pieces_micros",
            field=models.BigIntegerField(default=0, verbose_name="pieces, in millionths"),
        ),
        migrations.AlterField(
            model_name="unitcounter",
            name="period",
            field=models.CharField(
                choices=[
                    ("day", "day"),
                    ("week", "week"),
                    ("month", "month"),
                    ("quarter", "quarter"),
                    ("year", "year"),
                    ("ever", "ever"),
                ],
                default="day",
                max_length=8,
                verbose_name="period",
            ),
        ),
        migrations.AddConstraint(
            model_name="unitcounter",
            constraint=models.UniqueConstraint(
                fields=("rule", "unit", "device", "period", "start"), name="unitcounter_once"
            ),
        ),
        sql_file("rules", "pipeline"),
    ]
