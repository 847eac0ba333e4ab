"""What held while a review was open holds while a request to publish is; the reviews are requests now."""

from django.db import migrations

from apps.core.migration import APPS, sql_file

SQL = APPS / "rules" / "sql"


class Migration(migrations.Migration):
    dependencies = [("rules", "0017_reviews_become_requests")]
    operations = [
        migrations.RunSQL(
            (SQL / "reviews.reverse.sql").read_text(encoding="utf-8"), (SQL / "reviews.sql").read_text(encoding="utf-8")
        ),
        migrations.DeleteModel(name="RuleReview"),
        sql_file("rules", "publications"),
    ]
