from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("points", "0011_erasing")]

    operations = [
        migrations.AddIndex(
            model_name="posting",
            index=models.Index(
                condition=models.Q(("event__isnull", True)), fields=["member", "-posted_at"], name="posting_timeline"
            ),
        ),
    ]
