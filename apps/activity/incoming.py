"""An event as some system tells it, before anything is known of its member or store. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class IncomingLine:
    """One line of an order; `amount` is what was paid for the whole line, tax included, `tax` how much of it is tax
    (None: not told); a line that `is_shipping` is the carriage."""

    number: int
    sku: str
    category: str
    quantity: Decimal
    amount: Decimal
    brand: str = ""
    tax: Decimal | None = None
    is_shipping: bool = False

    def content(self) -> tuple[Any, ...]:
        """All that was told, in one spelling; without what lines could not tell at first, where it is not told."""
        told = (self.sku, self.category, _plain(self.quantity), _plain(self.amount))
        if not self.brand and self.tax is None and not self.is_shipping:
            return told
        return (*told, self.brand, None if self.tax is None else _plain(self.tax), self.is_shipping)


@dataclass(frozen=True, slots=True)
class IncomingEvent:
    """An event as its source told it; checked for shape, not yet for what its names refer to.

    `store` is an org unit's code, None for the unit of the source's programme. `refund_of` is the key, in the same
    source, of the purchase that a refund gives back; `confirms` that of an event whose points waited for this one.
    `currency` None means the programme's. `member_id` is the studio's own name for a member: no door reads it.
    """

    key: str
    kind: str
    member_kind: str
    member_value: str
    occurred_at: datetime
    store: str | None = None
    channel: str = ""
    order_no: str = ""
    refund_of: str | None = None
    currency: str | None = None
    device: str = ""
    lines: Sequence[IncomingLine] = ()
    attributes: Mapping[str, Any] | None = None
    confirms: str | None = None
    member_id: int | None = None

    @property
    def amount(self) -> Decimal | None:
        """The sum of the lines; None for an event without any."""
        return sum((line.amount for line in self.lines), Decimal(0)) if self.lines else None

    def content_hash(self) -> bytes:
        """A digest of all that was told but the key: the same key with another digest is a conflict."""
        told = (
            self.kind,
            self.member_kind,
            self.member_value,
            self.occurred_at,
            self.store,
            self.channel,
            self.order_no,
            self.refund_of,
            self.currency,
            self.device,
            [line.content() for line in self.lines],
            self.attributes or None,
            # Older events knew nothing of it: their digests stand.
            *([self.confirms] if self.confirms else ()),
        )
        return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)).digest()[:16]


def _plain(number: Decimal) -> str:
    """One spelling for one number: 12.50 and 12.5 are the same."""
    return format(number.normalize(), "f")
