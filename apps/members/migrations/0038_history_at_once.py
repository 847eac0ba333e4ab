"""What a file writes into histories is gathered once for its part, not member by member."""

from django.db import migrations

from apps.core.migration import again


class Migration(migrations.Migration):
    dependencies = [("members", "0037_known_when_read")]
    operations = [again("members", "importing")]
