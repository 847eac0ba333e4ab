"""Approval policies, requests, the inbox and absences on the screen."""

from apps.approvals.admin import delegations, policies, requests

__all__ = ["delegations", "policies", "requests"]
