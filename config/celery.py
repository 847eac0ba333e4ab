"""Background work: the Celery application. Its broker is named in the settings, its schedule in `config.schedules`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

app = Celery("studio", task_cls="apps.core.work:StudioTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
