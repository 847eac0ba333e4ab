"""The verbs of the ledger. Whatever moves points, from whichever door, goes through one of these.

Each is one transaction, carries a unique key, and answers a repeated key with the first result.
"""

from apps.points.services.adjusting import adjust, ask_adjustment
from apps.points.services.deciding import release_event, take_back_event
from apps.points.services.expiring import expire_due, release_due, void_lapsed_holds
from apps.points.services.reversing import reverse
from apps.points.services.spending import capture, hold, hold_for_member, redeem, void

__all__ = [
    "adjust",
    "ask_adjustment",
    "capture",
    "expire_due",
    "hold",
    "hold_for_member",
    "redeem",
    "release_due",
    "release_event",
    "reverse",
    "take_back_event",
    "void",
    "void_lapsed_holds",
]
