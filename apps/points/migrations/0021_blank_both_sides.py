"""What moved with a merge says why on both sides; erasing one of the two blanks both."""

from django.db import migrations

from apps.core.migration import again


class Migration(migrations.Migration):
    dependencies = [("points", "0020_openings_back_again")]
    operations = [again("points", "erasing")]
