import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0024_rows_forgotten"),
        ("orgs", "0009_reviews_and_views"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DuplicatePair",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("score", models.SmallIntegerField(verbose_name="how alike")),
                ("reasons", models.JSONField(default=dict, verbose_name="why")),
                ("found_at", models.DateTimeField(verbose_name="found at")),
                ("seen_at", models.DateTimeField(verbose_name="last found at")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "To be looked at"),
                            ("merged", "Merged"),
                            ("different", "Not the same person"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=500, verbose_name="note")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
                ("why", models.CharField(blank=True, max_length=500, verbose_name="reason")),
            ],
            options={
                "verbose_name": "possible duplicate",
                "verbose_name_plural": "possible duplicates",
            },
        ),
        migrations.CreateModel(
            name="DuplicateSearch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked_at", models.DateTimeField(verbose_name="asked at")),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for a worker"),
                            ("values", "Reading identifiers"),
                            ("pairs", "Comparing members"),
                            ("done", "Done"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="stage",
                    ),
                ),
                ("done", models.IntegerField(default=0, verbose_name="done")),
                ("total", models.IntegerField(default=0, verbose_name="rows in all")),
                ("found", models.IntegerField(default=0, verbose_name="pairs found")),
                ("skipped", models.IntegerField(default=0, verbose_name="values left out")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended at")),
            ],
            options={
                "verbose_name": "search for duplicates",
                "verbose_name_plural": "searches for duplicates",
            },
        ),
        migrations.AddField(
            model_name="identifier",
            name="alike_hash",
            field=models.BinaryField(max_length=16, null=True),
        ),
        migrations.AddIndex(
            model_name="identifier",
            index=models.Index(
                condition=models.Q(("alike_hash__isnull", False)), fields=["alike_hash"], name="identifier_alike"
            ),
        ),
        migrations.AddField(
            model_name="duplicatepair",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="decided by",
            ),
        ),
        migrations.AddField(
            model_name="duplicatepair",
            name="first",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="members.member",
                verbose_name="member",
            ),
        ),
        migrations.AddField(
            model_name="duplicatepair",
            name="merge",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="pairs",
                to="members.merge",
                verbose_name="merge",
            ),
        ),
        migrations.AddField(
            model_name="duplicatepair",
            name="proposed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="proposed by",
            ),
        ),
        migrations.AddField(
            model_name="duplicatepair",
            name="second",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="members.member",
                verbose_name="other member",
            ),
        ),
        migrations.AddField(
            model_name="duplicatepair",
            name="unit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="orgs.orgunit",
                verbose_name="org unit",
            ),
        ),
        migrations.AddField(
            model_name="duplicatesearch",
            name="asked_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="asked by",
            ),
        ),
        migrations.AddIndex(
            model_name="duplicatepair",
            index=models.Index(fields=["state", "-score", "-id"], name="duplicatepair_board"),
        ),
        migrations.AddConstraint(
            model_name="duplicatepair",
            constraint=models.UniqueConstraint(fields=("first", "second"), name="duplicatepair_once"),
        ),
        migrations.AddConstraint(
            model_name="duplicatepair",
            constraint=models.CheckConstraint(
                condition=models.Q(("first__lt", models.F("second"))), name="duplicatepair_in_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="duplicatepair",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at", None), ("state", "open")),
                    models.Q(models.Q(("state", "open"), _negated=True), ("decided_at__isnull", False)),
                    _connector="OR",
                ),
                name="duplicatepair_decided",
            ),
        ),
    ]
