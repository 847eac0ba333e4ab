"""When points expire: the policies of a point type and what they mean for a day of earning. Pure.

Points expire at the end of a local day of the programme, so every answer is the first instant of the next one,
and that instant is excluded: at it they are gone.
"""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from apps.core.clock import start_of_day

_Days = Annotated[int, Field(ge=1, le=36_500)]


class _Policy(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Never(_Policy):
    kind: Literal["never"] = "never"


class AfterDays(_Policy):
    """`days` whole local days after the day of earning: earned on the 1st with 7 days, good through the 8th."""

    kind: Literal["after_days"] = "after_days"
    days: _Days


class EndOf(_Policy):
    """The end of the month, quarter or year of earning, then `plus_years` and `plus_days` more."""

    kind: Literal["end_of"] = "end_of"
    period: Literal["month", "quarter", "year"]
    plus_years: Annotated[int, Field(ge=0, le=50)] = 0
    plus_days: Annotated[int, Field(ge=0, le=36_500)] = 0


class Inactivity(_Policy):
    """`days` whole local days after the account's last event or redemption; every one starts the count again."""

    kind: Literal["inactivity"] = "inactivity"
    days: _Days


Policy = Annotated[Never | AfterDays | EndOf | Inactivity, Field(discriminator="kind")]
_ADAPTER: TypeAdapter[Never | AfterDays | EndOf | Inactivity] = TypeAdapter(Policy)


def parse_policy(data: Any) -> Never | AfterDays | EndOf | Inactivity:
    """The policy that `data` (a point type's JSON) describes; an empty one never expires.

    Raises pydantic's ValidationError.
    """
    return _ADAPTER.validate_python(data or {"kind": "never"})


def last_good_day(policy: Never | AfterDays | EndOf | Inactivity, earned_on: date) -> date | None:
    """The last local day on which points earned on `earned_on` can be spent; None when no date is fixed."""
    match policy:
        case AfterDays(days=days):
            return earned_on + timedelta(days=days)
        case EndOf(period=period, plus_years=years, plus_days=days):
            last_month = {"month": earned_on.month, "quarter": (earned_on.month + 2) // 3 * 3, "year": 12}[period]
            first_of_next = date(earned_on.year + years + last_month // 12, last_month % 12 + 1, 1)
            return first_of_next + timedelta(days=days - 1)
    return None


def expires_at(policy: Never | AfterDays | EndOf | Inactivity, earned_on: date, zone: ZoneInfo) -> datetime | None:
    """The instant at which points earned on the local day `earned_on` are gone; None when no date is fixed."""
    last = last_good_day(policy, earned_on)
    return None if last is None else start_of_day(last + timedelta(days=1), zone)


def lapses_at(policy: Never | AfterDays | EndOf | Inactivity, active_on: date, zone: ZoneInfo) -> datetime | None:
    """When an account last active on the local day `active_on` lapses; None unless the policy is inactivity."""
    if not isinstance(policy, Inactivity):
        return None
    return start_of_day(active_on + timedelta(days=policy.days + 1), zone)
