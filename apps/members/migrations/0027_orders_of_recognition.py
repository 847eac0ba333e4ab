import django.contrib.postgres.fields
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0026_blocks_of_the_group"),
        ("orgs", "0010_signed_out"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalMatchingOrder",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        default=list,
                        help_text="Kinds of identifier with commas between them, the first first: card, phone, email, external:pos",
                        size=None,
                        verbose_name="recognised by",
                    ),
                ),
                (
                    "only_verified",
                    models.BooleanField(
                        default=False,
                        help_text="An identifier that nobody has verified names no member who enrols again.",
                        verbose_name="only by what is verified",
                    ),
                ),
                (
                    "enrols_known",
                    models.BooleanField(
                        default=False,
                        help_text="An enrolment by the API that names a member is answered with that member, instead of being refused.",
                        verbose_name="who is known enrols as that member",
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
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
            ],
            options={
                "verbose_name": "historical order of recognition",
                "verbose_name_plural": "historical orders of recognition",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="MatchingOrder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        default=list,
                        help_text="Kinds of identifier with commas between them, the first first: card, phone, email, external:pos",
                        size=None,
                        verbose_name="recognised by",
                    ),
                ),
                (
                    "only_verified",
                    models.BooleanField(
                        default=False,
                        help_text="An identifier that nobody has verified names no member who enrols again.",
                        verbose_name="only by what is verified",
                    ),
                ),
                (
                    "enrols_known",
                    models.BooleanField(
                        default=False,
                        help_text="An enrolment by the API that names a member is answered with that member, instead of being refused.",
                        verbose_name="who is known enrols as that member",
                    ),
                ),
                (
                    "program",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="matching",
                        to="orgs.program",
                        verbose_name="programme",
                    ),
                ),
            ],
            options={
                "verbose_name": "order of recognition",
                "verbose_name_plural": "orders of recognition",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kinds__len__range", (1, 10))), name="matchingorder_has_kinds"
                    )
                ],
            },
        ),
    ]
