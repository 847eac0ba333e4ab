"""What conditions ask of a birthday, in plain beside the date that stays encrypted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0004_guards")]
    operations = [
        migrations.AddField(
            model_name="member", name="birth_day", field=models.SmallIntegerField(editable=False, null=True)
        ),
        migrations.AddField(
            model_name="member", name="birth_year", field=models.SmallIntegerField(editable=False, null=True)
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(("birth_day__range", (101, 1231))), name="member_birth_day_of_a_month"
            ),
        ),
    ]
