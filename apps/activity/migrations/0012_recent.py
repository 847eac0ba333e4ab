"""What members and devices did in the minutes before an event."""

from django.db import migrations, models

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("activity", "0011_record_birthdays")]
    operations = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                fields=["device", "occurred_at"], name="event_of_device", condition=models.Q(device__gt="")
            ),
        ),
        sql_file("activity", "recent"),
    ]
