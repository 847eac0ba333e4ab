import django.core.serializers.json
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0019_erasing"),
        ("orgs", "0009_reviews_and_views"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Merge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(verbose_name="when")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                ("choices", models.JSONField(default=dict, verbose_name="particulars taken")),
                (
                    "moved",
                    models.JSONField(
                        default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder, verbose_name="what moved"
                    ),
                ),
                ("name_cipher", models.BinaryField(null=True)),
                ("birth_on_cipher", models.BinaryField(null=True)),
                ("undone_at", models.DateTimeField(null=True, verbose_name="undone at")),
                ("undo_reason", models.CharField(blank=True, max_length=500, verbose_name="why it was undone")),
                (
                    "returned",
                    models.JSONField(
                        default=dict,
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        verbose_name="what came back",
                    ),
                ),
            ],
            options={
                "verbose_name": "merge of members",
                "verbose_name_plural": "merges of members",
            },
        ),
        migrations.AddField(
            model_name="member",
            name="merged_into",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="absorbed",
                to="members.member",
                verbose_name="merged into",
            ),
        ),
        migrations.AlterField(
            model_name="member",
            name="state",
            field=models.CharField(
                choices=[("active", "Active"), ("closed", "Closed"), ("removed", "Removed"), ("merged", "Merged")],
                default="active",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AddIndex(
            model_name="member",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", False)), fields=["merged_into"], name="member_absorbed"
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("merged_into__isnull", True), models.Q(("state", "merged"), _negated=True)),
                    models.Q(
                        ("state__in", ["merged", "removed"]), models.Q(("merged_into", models.F("id")), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="member_merged_into_another",
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="author",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="by",
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="gone",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merged_by",
                to="members.member",
                verbose_name="merged member",
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="kept",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merges",
                to="members.member",
                verbose_name="kept member",
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="undone_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="undone by",
            ),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.CheckConstraint(
                condition=models.Q(("kept", models.F("gone")), _negated=True), name="merge_of_two"
            ),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("undone_at__isnull", True)), fields=("gone",), name="merge_gone_once"
            ),
        ),
    ]
