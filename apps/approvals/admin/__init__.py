"""Approval policies, requests and the inbox on the screen."""

from apps.approvals.admin import policies, requests

__all__ = ["policies", "requests"]
