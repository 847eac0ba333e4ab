"""API clients and their keys. A key is shown once; only its hash is kept."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Subquery

from apps.core.scope import reach_of
from apps.orgs.errors import CodeTaken, PersonalScope, UnknownScope
from apps.orgs.models import ApiClient, OrgUnit, Staff
from apps.orgs.services import tries
from apps.orgs.services.actors import require, signed

AccessScope = ApiClient.AccessScope

REMEMBERED_ADDRESSES = 50


@transaction.atomic
def create_api_client(
    unit: OrgUnit,
    *,
    code: str,
    name: str,
    scopes: Iterable[str],
    when: datetime,
    actor: Staff | None = None,
) -> tuple[ApiClient, str]:
    """The new client and its key, which cannot be read again.

    Raises CodeTaken, UnknownScope, PersonalScope, NotAllowed.
    """
    require(actor, "orgs.add_apiclient", unit)
    kept = _checked(scopes, unit, actor)
    if ApiClient.objects.filter(code=code).exists():
        raise CodeTaken(value=code)
    client = ApiClient(code=code, name=name, unit=unit, scopes=kept, created_at=when)
    key = _new_key(client)
    signed(client, actor).save()
    return client, key


@transaction.atomic
def change_api_client(
    client: ApiClient, *, name: str, scopes: Iterable[str], actor: Staff | None = None, reason: str = ""
) -> ApiClient:
    """`client` with a new name and new scopes. Raises UnknownScope, PersonalScope, NotAllowed."""
    client = _locked(client, actor)
    client.name, client.scopes = name, _checked(scopes, client.unit, actor)
    signed(client, actor, reason).save()
    return client


@transaction.atomic
def rotate_key(client: ApiClient, *, actor: Staff | None = None) -> str:
    """A new key; the old one stops working at once. Raises PersonalScope, NotAllowed."""
    client = _locked(client, actor)
    _checked(client.scopes, client.unit, actor)
    key = _new_key(client)
    signed(client, actor, "key replaced").save()
    return key


@transaction.atomic
def set_client_active(client: ApiClient, is_active: bool, *, actor: Staff | None = None, reason: str = "") -> ApiClient:
    """Lets `client` in or shuts it out, at its next call. Raises PersonalScope (letting in), NotAllowed."""
    client = _locked(client, actor)
    if is_active:
        _checked(client.scopes, client.unit, actor)
    client.is_active = is_active
    signed(client, actor, reason).save()
    return client


def client_for_key(key: str, *, address: str, when: datetime) -> ApiClient | None:
    """The active client whose key this is. One query for a right key; compares hashes, never keys.

    Wrong keys are counted against the address they come from. When there were too many, it is listened to no more for
    a while, but for clients that called from there before: nobody locks a shop's tills out. Raises TooManyTries.
    """
    counter = tries.counter_of_keys(address)
    refused_until = Subquery(tries.refused_until(counter, when))
    clients = ApiClient.objects.select_related("unit").annotate(refused_until=refused_until)
    client = clients.filter(key_hash=_digest(key), is_active=True).first()
    if client is None:
        tries.count_try(when, counter)
    elif address not in client.seen_from:
        if client.refused_until is not None:
            raise tries.refusal(client.refused_until - when)
        seen_from = [*client.seen_from[1 - REMEMBERED_ADDRESSES :], address]
        ApiClient.objects.filter(pk=client.pk).update(seen_from=seen_from)
    return client


def _locked(client: ApiClient, actor: Staff | None) -> ApiClient:
    clients = ApiClient.objects.select_for_update(no_key=True, of=("self",)).select_related("unit")
    client = clients.get(pk=client.pk)
    require(actor, "orgs.change_apiclient", client.unit)
    return client


def _checked(scopes: Iterable[str], unit: OrgUnit, actor: Staff | None) -> list[str]:
    """`scopes` in their fixed order. Who is no administrator gives no key that reads personal data."""
    wanted = set(scopes)
    for unknown in sorted(wanted - set(AccessScope.values)):
        raise UnknownScope(value=unknown)
    if AccessScope.MEMBERS_PERSONAL in wanted and actor is not None:
        _require_administrator(actor, unit)
    return [scope for scope in AccessScope.values if scope in wanted]


def _require_administrator(actor: Staff, unit: OrgUnit) -> None:
    if not reach_of(actor, "orgs.change_staff").covers(unit.path):
        raise PersonalScope()


def _new_key(client: ApiClient) -> str:
    key = f"studio_{secrets.token_urlsafe(32)}"
    client.key_hash, client.key_hint = _digest(key), f"…{key[-4:]}"
    return key


def _digest(key: str) -> bytes:
    """A key has 256 random bits, so a plain hash is as good as a slow one."""
    return hashlib.sha256(key.encode()).digest()
