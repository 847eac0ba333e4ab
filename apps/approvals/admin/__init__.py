"""Approval policies on the screen."""

from apps.approvals.admin import policies

__all__ = ["policies"]
