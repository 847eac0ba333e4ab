"""Background work: the Celery application. Its broker is named in the settings, its schedule in `config.schedules`."""

import logging.config
import os
import time
import warnings
from typing import Any

from celery import Celery, signals
from celery.platforms import SecurityWarning
from django.conf import settings

from apps.core.supervisor import end_with_parent

# In a container root is who runs it, and no message carries code: the serializer is JSON.
warnings.simplefilter("ignore", SecurityWarning)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

app = Celery("studio", task_cls="apps.core.work:StudioTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def log_as_the_settings_say(**_: Any) -> None:
    """Being connected keeps Celery from setting up logs of its own."""
    logging.config.dictConfig(settings.LOGGING)


@signals.before_task_publish.connect
def say_when_it_was_sent(headers: dict[str, Any], **_: Any) -> None:
    """Redis does not know how old a message is; `apps.core.health` asks."""
    headers["sent_at"] = time.time()


@signals.worker_process_init.connect
def end_with_the_worker(**_: Any) -> None:
    end_with_parent()
