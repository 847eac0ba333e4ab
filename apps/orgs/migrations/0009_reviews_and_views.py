"""Reviews of roles, and who saw the studio as whom."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("orgs", "0008_told_by_mail"),
    ]

    operations = [
        migrations.CreateModel(
            name="Certification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("opened_at", models.DateTimeField(verbose_name="opened at")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed at")),
                (
                    "opened_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="opened by",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="certifications",
                        to="orgs.orgunit",
                        verbose_name="org unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "review of roles",
                "verbose_name_plural": "reviews of roles",
            },
        ),
        migrations.CreateModel(
            name="CertificationLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("marketing", "Marketing"),
                            ("finance", "Finance"),
                            ("regional_manager", "Regional manager"),
                            ("vice_president", "Vice president"),
                            ("marketing_head", "Head of marketing"),
                            ("service", "Customer service"),
                            ("shop", "Shop staff"),
                            ("auditor", "Auditor"),
                            ("integrator", "Integrator"),
                            ("administrator", "Administrator"),
                        ],
                        max_length=40,
                        verbose_name="role",
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[("kept", "Kept"), ("taken", "Taken away"), ("gone", "Not held any more")],
                        max_length=6,
                        verbose_name="verdict",
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided at")),
                (
                    "certification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="orgs.certification",
                        verbose_name="review of roles",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "held_at",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.orgunit",
                        verbose_name="held at",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "line of a review of roles",
                "verbose_name_plural": "lines of reviews of roles",
            },
        ),
        migrations.CreateModel(
            name="ViewAs",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("began", "Began"), ("ended", "Ended")], max_length=6, verbose_name="kind"
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("at", models.DateTimeField(verbose_name="when")),
                ("until", models.DateTimeField(null=True, verbose_name="until")),
                (
                    "why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("button", "by the button"),
                            ("time", "time was over"),
                            ("rights", "rights had changed"),
                            ("signed_out", "signed out"),
                        ],
                        max_length=12,
                        verbose_name="ended why",
                    ),
                ),
                (
                    "administrator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="administrator",
                    ),
                ),
                (
                    "began",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="end",
                        to="orgs.viewas",
                        verbose_name="began with",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="seen as",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orgs.orgunit",
                        verbose_name="org unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "view as somebody else",
                "verbose_name_plural": "views as somebody else",
            },
        ),
        migrations.AddConstraint(
            model_name="certification",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at", None)), fields=("unit",), name="certification_one_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="certificationline",
            constraint=models.UniqueConstraint(
                fields=("certification", "person", "role", "held_at"), name="certificationline_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="certificationline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", True), ("verdict", "")),
                    models.Q(models.Q(("verdict", ""), _negated=True), ("decided_at__isnull", False)),
                    _connector="OR",
                ),
                name="certificationline_decided",
            ),
        ),
        migrations.AddConstraint(
            model_name="certificationline",
            constraint=models.CheckConstraint(
                condition=models.Q(("decided_by", models.F("person")), _negated=True),
                name="certificationline_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="viewas",
            constraint=models.CheckConstraint(
                condition=models.Q(("administrator", models.F("person")), _negated=True), name="viewas_of_another"
            ),
        ),
        migrations.AddConstraint(
            model_name="viewas",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("began__isnull", True),
                        ("kind", "began"),
                        ("until__isnull", False),
                        models.Q(("reason", ""), _negated=True),
                    ),
                    models.Q(("began__isnull", False), ("kind", "ended"), models.Q(("why", ""), _negated=True)),
                    _connector="OR",
                ),
                name="viewas_whole",
            ),
        ),
        sql_file("orgs", "viewas"),
    ]
