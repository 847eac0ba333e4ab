"""What the room writes: daily facts, and what checks of the ledger found."""

from apps.reports.services.checks import check_ledger, require_checking
from apps.reports.services.folding import Folded, fold_facts

__all__ = ["Folded", "check_ledger", "fold_facts", "require_checking"]
