import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0025_duplicates"), ("orgs", "0010_signed_out")]

    operations = [
        migrations.AddField(
            model_name="blockedidentifier",
            name="unit",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+",
                to="orgs.orgunit", verbose_name="org unit",
            ),
        ),
        migrations.RunSQL(
            "UPDATE members_blockedidentifier SET unit_id = (SELECT id FROM orgs_orgunit WHERE depth = 1);"
            " SET CONSTRAINTS ALL IMMEDIATE",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="blockedidentifier",
            name="unit",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="orgs.orgunit",
                verbose_name="org unit",
            ),
        ),
    ]  # fmt: skip
