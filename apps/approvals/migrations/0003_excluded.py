"""Who may not decide on a request, beside who sent it."""

from django.db import migrations, models

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("approvals", "0002_guards")]
    operations = [
        migrations.AddField(
            model_name="approvalrequest",
            name="excluded",
            field=models.JSONField(blank=True, default=list, verbose_name="may not decide"),
        ),
        sql_file("approvals", "excluded"),
    ]
