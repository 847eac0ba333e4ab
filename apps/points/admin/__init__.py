"""Point types, the ledger to read, and moving points by hand."""

from apps.points.admin import ledger, reasons, types

__all__ = ["ledger", "reasons", "types"]
