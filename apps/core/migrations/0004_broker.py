from django.db import migrations
from pgmq.install import get_embedded_install_sql

from apps.core.broker import QUEUE


def install(apps, schema_editor):
    """The transport's schema, unless the server has it as an extension, and the studio's queue."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pgmq.meta')")
        if cursor.fetchone()[0] is None:
            cursor.execute(get_embedded_install_sql())
        cursor.execute("SELECT pgmq.create(%s)", [QUEUE])


def drop_queue(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT pgmq.drop_queue(%s)", [QUEUE])


class Migration(migrations.Migration):
    dependencies = [("core", "0003_promised_tasks")]
    operations = [migrations.RunPython(install, drop_queue)]
