"""What members did, to read."""

from apps.activity.admin import events

__all__ = ["events"]
