"""Point types, and the ledger to read."""

from apps.points.admin import ledger, types

__all__ = ["ledger", "types"]
