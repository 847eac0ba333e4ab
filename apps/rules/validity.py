"""When points of a rule expire and become spendable, where the rule says so itself and not the kind of points. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from apps.core.clock import start_of_day
from apps.points.expiry import expires_at, parse_policy


class Dates(NamedTuple):
    """Of points earned on one local day. Where they are pending without `releases_at`, something else releases them."""

    expires_at: datetime | None
    releases_at: datetime | None
    is_pending: bool


def released_at(day: date, days: int, zone: ZoneInfo) -> datetime | None:
    """When points earned on local `day` become spendable that wait `days`; None for those that wait for nothing."""
    return start_of_day(date.fromordinal(day.toordinal() + days), zone) if days else None


@dataclass(frozen=True, slots=True)
class LiveValidity:
    """What a rule says of its points: None leaves it to the kind of points. `until` is a kind of event, which names
    the event that earned them in `confirms`."""

    policy: Any = None
    days: int | None = None
    until: str | None = None

    def dates(self, day: date, zone: ZoneInfo, kind: Dates) -> Dates:
        """For points earned on local `day`, whose kind would give them the dates `kind`. They expire as the policy
        says of the day of earning, also where they became spendable later."""
        expires = kind.expires_at if self.policy is None else expires_at(self.policy, day, zone)
        if self.until is not None:
            return Dates(expires, None, True)
        if self.days is None:
            return kind._replace(expires_at=expires)
        released = released_at(day, self.days, zone)
        return Dates(expires, released, released is not None)


def live_validity(written: Any) -> LiveValidity | None:
    """The part of a definition that has been checked, as it is reckoned with."""
    if not written:
        return None
    pending = written.get("pending") or {}
    policy = written.get("expiry")
    return LiveValidity(policy and parse_policy(policy), pending.get("days"), pending.get("until"))
