"""The key of a posting is indexed once: nobody looks for how one begins."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("points", "0021_blank_both_sides")]

    operations = [
        migrations.AlterField("posting", "key", models.CharField(max_length=160, verbose_name="key")),
        migrations.AddConstraint("posting", models.UniqueConstraint(fields=("key",), name="posting_once")),
    ]
