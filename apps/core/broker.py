"""The broker on PostgreSQL: kombu's `pgmq` transport, led to the database that this process is pointed at.

Its schema and its one queue are made by a migration, as the tables' owner; the application's role may send and take
messages but makes no tables. Used when no `CELERY_BROKER_URL` is set.
"""

from typing import Any

from django.conf import settings
from django.db import connections
from kombu import Exchange, Queue
from kombu.transport import pgmq
from pgmq import PGMQueue
from psycopg.conninfo import make_conninfo

QUEUE = "studio"

DECLARED = Queue(QUEUE, Exchange("", no_declare=True), routing_key=QUEUE, no_declare=True)
"""The queue as Celery is told of it: it is there, nobody needs to declare it."""


def conninfo() -> str:
    """Where the `default` connection leads, as libpq writes it: unlike a URL that keeps the folder of a socket."""
    config: dict[str, Any] = connections["default"].settings_dict
    options = {name: value for name, value in config["OPTIONS"].items() if isinstance(value, str)}
    named = {"host": "HOST", "port": "PORT", "dbname": "NAME", "user": "USER", "password": "PASSWORD"}
    return make_conninfo("", **options, **{name: config[key] for name, key in named.items() if config[key]})


class Transport(pgmq.Transport):
    """Follows the `default` connection, also when a test or a measurement points the process elsewhere."""

    _pgmq_client: Any
    _leads_to = ""

    def _get_pgmq_client(self) -> Any:
        if self._pgmq_client is not None and self._leads_to != conninfo():
            self._pgmq_client.close()
            self._pgmq_client = None
        return super()._get_pgmq_client()

    def _create_pgmq_client(self) -> Any:
        if connections["default"].settings_dict["ENGINE"] == "apps.core.backend":
            settings.EMBEDDED_POSTGRES.acquire()
        self._leads_to = conninfo()
        options = self.client.transport_options
        client = PGMQueue(
            conn_string=self._leads_to, vt=options["visibility_timeout"], init_extension=False, pool_size=2
        )
        client.pool.timeout = 5.0
        return client
