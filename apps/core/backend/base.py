"""Django's PostgreSQL backend, which first makes sure that the studio's own server runs.

Used only when no `DATABASE_URL` is set, so that every command, test and shell finds its database without
being told about it.
"""

from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base

from apps.core.postgres import EmbeddedPostgres


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        server: EmbeddedPostgres = settings.EMBEDDED_POSTGRES
        server.acquire()
        return super().get_new_connection(conn_params)
