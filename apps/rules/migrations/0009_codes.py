"""Batches of codes: what is known of each code, who redeemed it, and how it is found."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("activity", "0009_member_days_by_day"),
        ("members", "0004_guards"),
        ("orgs", "0004_calls"),
        ("rules", "0008_open_birthdays"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CodeBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "code",
                    models.SlugField(
                        help_text="Rules ask for it: the batch of the code is …", max_length=60, verbose_name="code"
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("size", models.PositiveIntegerField(verbose_name="number of codes")),
                (
                    "uses",
                    models.PositiveIntegerField(
                        default=1,
                        help_text="1: whoever comes first. More: so many members, each of them once.",
                        verbose_name="uses of each code",
                    ),
                ),
                ("starts_on", models.DateField(blank=True, null=True, verbose_name="first day")),
                ("ends_on", models.DateField(blank=True, null=True, verbose_name="last day")),
                ("prizes", models.JSONField(blank=True, default=list, verbose_name="prizes")),
                ("seed", models.BinaryField(max_length=32)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("making", "Being made"),
                            ("ready", "Ready"),
                            ("stopped", "Stopped"),
                        ],
                        default="draft",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("made", models.PositiveIntegerField(default=0, verbose_name="codes made")),
                ("last_number", models.PositiveIntegerField(default=0, verbose_name="last number")),
                ("created_at", models.DateTimeField(verbose_name="drafted at")),
                ("making_since", models.DateTimeField(null=True, verbose_name="being made since")),
                ("ready_at", models.DateTimeField(null=True, verbose_name="ready since")),
                ("stopped_at", models.DateTimeField(null=True, verbose_name="stopped at")),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="drafted by",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.program",
                        verbose_name="programme",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        help_text="The codes can be redeemed in this unit and below it.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.orgunit",
                        verbose_name="org unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "batch of codes",
                "verbose_name_plural": "batches of codes",
                "permissions": [
                    ("download_codes", "Can download the codes of a batch"),
                    ("redeem_code", "Can redeem a code for a member"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Code",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                ("value_hash", models.BinaryField(max_length=16)),
                ("uses_left", models.PositiveIntegerField(verbose_name="uses left")),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="codes",
                        to="rules.codebatch",
                        verbose_name="batch",
                    ),
                ),
            ],
            options={
                "verbose_name": "code",
                "verbose_name_plural": "codes",
            },
        ),
        migrations.CreateModel(
            name="CodeDownload",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("downloaded_at", models.DateTimeField(verbose_name="downloaded at")),
                ("codes", models.PositiveIntegerField(verbose_name="codes")),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="downloads",
                        to="rules.codebatch",
                        verbose_name="batch",
                    ),
                ),
                (
                    "downloaded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="downloaded by",
                    ),
                ),
            ],
            options={
                "verbose_name": "download of codes",
                "verbose_name_plural": "downloads of codes",
            },
        ),
        migrations.CreateModel(
            name="CodeGuess",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("guessed_at", models.DateTimeField(verbose_name="guessed at")),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="activity.source",
                        verbose_name="source",
                    ),
                ),
            ],
            options={
                "verbose_name": "guess at a code",
                "verbose_name_plural": "guesses at codes",
            },
        ),
        migrations.CreateModel(
            name="CodeUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("use", models.PositiveIntegerField(verbose_name="use")),
                ("prize", models.CharField(max_length=40, verbose_name="prize")),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="used",
                        to="rules.codebatch",
                        verbose_name="batch",
                    ),
                ),
                (
                    "code",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="used",
                        to="rules.code",
                        verbose_name="code",
                    ),
                ),
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="activity.event",
                        verbose_name="event",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
            ],
            options={
                "verbose_name": "redeemed code",
                "verbose_name_plural": "redeemed codes",
            },
        ),
        migrations.CreateModel(
            name="HistoricalCodeBatch",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "code",
                    models.SlugField(
                        help_text="Rules ask for it: the batch of the code is …", max_length=60, verbose_name="code"
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("size", models.PositiveIntegerField(verbose_name="number of codes")),
                (
                    "uses",
                    models.PositiveIntegerField(
                        default=1,
                        help_text="1: whoever comes first. More: so many members, each of them once.",
                        verbose_name="uses of each code",
                    ),
                ),
                ("starts_on", models.DateField(blank=True, null=True, verbose_name="first day")),
                ("ends_on", models.DateField(blank=True, null=True, verbose_name="last day")),
                ("prizes", models.JSONField(blank=True, default=list, verbose_name="prizes")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("making", "Being made"),
                            ("ready", "Ready"),
                            ("stopped", "Stopped"),
                        ],
                        default="draft",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="drafted at")),
                ("making_since", models.DateTimeField(null=True, verbose_name="being made since")),
                ("ready_at", models.DateTimeField(null=True, verbose_name="ready since")),
                ("stopped_at", models.DateTimeField(null=True, verbose_name="stopped at")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="drafted by",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="orgs.program",
                        verbose_name="programme",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="The codes can be redeemed in this unit and below it.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="orgs.orgunit",
                        verbose_name="org unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical batch of codes",
                "verbose_name_plural": "historical batches of codes",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddConstraint(
            model_name="codebatch",
            constraint=models.UniqueConstraint(fields=("program", "code"), name="codebatch_code_once"),
        ),
        migrations.AddConstraint(
            model_name="codebatch",
            constraint=models.CheckConstraint(condition=models.Q(("size__range", (1, 1000000))), name="codebatch_size"),
        ),
        migrations.AddConstraint(
            model_name="codebatch",
            constraint=models.CheckConstraint(condition=models.Q(("uses__range", (1, 100000))), name="codebatch_uses"),
        ),
        migrations.AddConstraint(
            model_name="codebatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("starts_on__isnull", True),
                    ("ends_on__isnull", True),
                    ("ends_on__gte", models.F("starts_on")),
                    _connector="OR",
                ),
                name="codebatch_days",
            ),
        ),
        migrations.AddConstraint(
            model_name="code",
            constraint=models.UniqueConstraint(fields=("value_hash",), name="code_value_once"),
        ),
        migrations.AddConstraint(
            model_name="code",
            constraint=models.UniqueConstraint(fields=("batch", "number"), name="code_number_once"),
        ),
        migrations.AddIndex(
            model_name="codeguess",
            index=models.Index(fields=["member", "guessed_at"], name="codeguess_of_member"),
        ),
        migrations.AddIndex(
            model_name="codeguess",
            index=models.Index(fields=["source", "guessed_at"], name="codeguess_of_source"),
        ),
        migrations.AddIndex(
            model_name="codeuse",
            index=models.Index(fields=["batch", "prize"], name="codeuse_prizes"),
        ),
        migrations.AddConstraint(
            model_name="codeuse",
            constraint=models.UniqueConstraint(fields=("code", "use"), name="codeuse_use_once"),
        ),
        migrations.AddConstraint(
            model_name="codeuse",
            constraint=models.UniqueConstraint(fields=("code", "member"), name="codeuse_member_once"),
        ),
        sql_file("rules", "codes"),
    ]
