"""Whether a programme publishes only rules that somebody else has approved."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orgs", "0004_calls"),
    ]

    operations = [
        migrations.AddField(
            model_name="historicalprogram",
            name="reviews_rules",
            field=models.BooleanField(
                default=False,
                help_text="A rule goes live only when somebody approves it who neither wrote it nor sent it to review.",
                verbose_name="rules are reviewed",
            ),
        ),
        migrations.AddField(
            model_name="program",
            name="reviews_rules",
            field=models.BooleanField(
                default=False,
                help_text="A rule goes live only when somebody approves it who neither wrote it nor sent it to review.",
                verbose_name="rules are reviewed",
            ),
        ),
    ]
