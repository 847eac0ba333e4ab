"""The pages of reports: what points cost, and whether the ledger ties."""

from apps.reports.admin import facts

__all__ = ["facts"]
