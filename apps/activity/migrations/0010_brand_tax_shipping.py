"""Lines tell their brand, the tax in their amount and whether they are the carriage; no row is rewritten."""

from django.db import migrations, models

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("activity", "0009_member_days_by_day")]
    operations = [
        migrations.AddField(
            model_name="eventline",
            name="brand",
            field=models.CharField(blank=True, db_default="", max_length=80, verbose_name="brand"),
        ),
        migrations.AddField(
            model_name="eventline",
            name="tax",
            field=models.DecimalField(decimal_places=4, max_digits=18, null=True, verbose_name="tax in it"),
        ),
        migrations.AddField(
            model_name="eventline",
            name="is_shipping",
            field=models.BooleanField(default=False, db_default=False, verbose_name="shipping"),
        ),
        sql_file("activity", "record"),
    ]
