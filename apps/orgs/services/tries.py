"""Guessing is slowed: each counter takes MOST tries in WINDOW, at any parallelism.

A guess is counted before it is looked at, and forgotten when it was right. From a device that the person has signed
in on before, it counts against that device alone: whoever guesses elsewhere cannot lock the owner out. Every other
guess counts against the account and against the address it comes from.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from math import ceil
from unicodedata import normalize

from django.db import connection, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet, Value
from django.utils.crypto import salted_hmac

from apps.orgs.errors import TooManyTries
from apps.orgs.models import SignInTry

MOST = 10
WINDOW = timedelta(minutes=10)


@dataclass(frozen=True)
class Visitor:
    """Who guesses, as far as it is known: the address, and the mark of a device if it carries the person's own."""

    address: str
    device: str = ""


def counters_of(name: str, visitor: Visitor) -> tuple[str, ...]:
    """What a guess at something of the account `name` counts against."""
    name = normalize("NFKC", name).casefold()
    if visitor.device:
        return (f"device {visitor.device} {name}",)
    return f"account {name}", f"address {_network(visitor.address)}"


def counter_of_keys(address: str) -> str:
    """What a wrong key of the API counts against."""
    return _hidden(f"keys {_network(address)}")


@contextmanager
def counted_try(when: datetime, *counters: str) -> Iterator[None]:
    """Counts a guess against each of `counters`; it stays counted when what stands inside raises.

    Raises TooManyTries, before anything is looked at. Runs outside transactions, so that a try stays counted.
    """
    tries = count_try(when, *sorted(_hidden(counter) for counter in counters))
    yield
    SignInTry.objects.filter(pk__in=tries).delete()


def _network(address: str) -> str:
    """The address; of IPv6 the network, which one household has to itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((address, 64), strict=False)) if parsed.version == 6 else address


def _hidden(counter: str) -> str:
    """Names and addresses are not kept, only what tells them apart."""
    return salted_hmac("apps.orgs.tries", counter, algorithm="sha256").hexdigest()


def refused_until(counter: str, when: datetime) -> QuerySet:
    """One row with the end of the wait, where `counter` takes no more tries; none where it does."""
    latest = SignInTry.objects.filter(counter=counter, tried_at__gt=when - WINDOW).order_by("-tried_at")
    ends = ExpressionWrapper(F("tried_at") + Value(WINDOW), output_field=DateTimeField())
    return latest.values_list(ends, flat=True)[MOST - 1 : MOST]


@transaction.atomic
def count_try(when: datetime, *counters: str) -> list[int]:
    """The new tries, one for each of `counters`. Locks them, in order. Raises TooManyTries."""
    with connection.cursor() as cursor:
        for counter in counters:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [counter])
    for counter in counters:
        for end in refused_until(counter, when):
            raise refusal(end - when)
    old = SignInTry.objects.select_for_update(skip_locked=True).filter(tried_at__lte=when - WINDOW)[:100]
    SignInTry.objects.filter(pk__in=[row.pk for row in old]).delete()
    rows = SignInTry.objects.bulk_create([SignInTry(counter=counter, tried_at=when) for counter in counters])
    return [row.pk for row in rows]


def refusal(wait: timedelta) -> TooManyTries:
    seconds = max(1, ceil(wait.total_seconds()))
    return TooManyTries(seconds=seconds, minutes=ceil(seconds / 60))
