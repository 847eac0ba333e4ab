from django.db import migrations

from apps.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("activity", "0010_brand_tax_shipping"), ("members", "0005_birthdays")]
    operations = [sql_file("activity", "record")]
