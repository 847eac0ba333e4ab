import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("activity", "0014_was_brought"),
        ("members", "0020_merges"),
        ("orgs", "0009_reviews_and_views"),
        ("points", "0012_timeline"),
    ]

    operations = [
        migrations.AddField(
            model_name="lot",
            name="moved_from",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="moved_to",
                to="points.lot",
                verbose_name="moved from",
            ),
        ),
        migrations.AlterField(
            model_name="entry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("earn", "Earned"),
                    ("opening", "Opening balance"),
                    ("release", "Released"),
                    ("redeem", "Redeemed"),
                    ("adjust", "Adjusted"),
                    ("expire", "Expired"),
                    ("reverse", "Reversed"),
                    ("clawback", "Taken back after a refund"),
                    ("repay", "Debt paid off"),
                    ("merge", "Moved with a merge"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="posting",
            name="kind",
            field=models.CharField(
                choices=[
                    ("earn", "Earned"),
                    ("opening", "Opening balance"),
                    ("release", "Released"),
                    ("redeem", "Redeemed"),
                    ("adjust", "Adjusted"),
                    ("expire", "Expired"),
                    ("reverse", "Reversed"),
                    ("clawback", "Taken back after a refund"),
                    ("repay", "Debt paid off"),
                    ("merge", "Moved with a merge"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.AddIndex(
            model_name="lot",
            index=models.Index(
                condition=models.Q(("moved_from__isnull", False)), fields=["moved_from"], name="lot_moved"
            ),
        ),
    ]
