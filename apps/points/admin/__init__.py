"""Point types, the ledger to read, and moving points by hand."""

from apps.points.admin import batches, ledger, reasons, types

__all__ = ["batches", "ledger", "reasons", "types"]
