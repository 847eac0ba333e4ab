"""Members by a part of the name that many share, within a reach; and how often somebody searched of late."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0014_importing"),
        ("orgs", "0009_reviews_and_views"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="member",
            name="member_home_newest",
        ),
        migrations.AddIndex(
            model_name="look",
            index=models.Index(
                condition=models.Q(("kind", "search")), fields=["actor", "client", "at"], name="look_searches"
            ),
        ),
        migrations.AddIndex(
            model_name="member",
            index=models.Index(fields=["home_unit", "-id"], include=("name_grams",), name="member_home_newest"),
        ),
    ]
