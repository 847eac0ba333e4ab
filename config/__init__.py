"""What stands on top of the rooms. Nothing in `apps` imports it."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
