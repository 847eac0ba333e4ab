from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("activity", "0008_history")]
    operations = [
        migrations.AddIndex(
            model_name="memberday",
            index=BrinIndex(fields=["day"], name="memberday_day", autosummarize=True, pages_per_range=32),
        ),
    ]
