"""API clients and their keys. A key is shown once; only its hash is kept."""

import hashlib
import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Subquery

from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.scope import reach_of
from apps.orgs.errors import CodeTaken, PersonalScope, UnknownScope
from apps.orgs.gate import Approval, Done, Effect, Line, Subject, SubjectGone, pass_gate, register
from apps.orgs.models import ApiClient, OrgUnit, Staff
from apps.orgs.services import tries
from apps.orgs.services.actors import require, signed
from apps.orgs.words import SCOPES

AccessScope = ApiClient.AccessScope

REMEMBERED_ADDRESSES = 50


TITLE = Words("API client {name} at {unit}: {scopes}", "API 客户端 {name}（{unit}）：{scopes}")


class ClientAccess(Subject):
    """What an API client may do at its unit. Without `client` it is a new one."""

    code: ClassVar[str] = "orgs.client"
    label: ClassVar[Words] = Words("Access of an API client", "API 客户端权限")
    icon: ClassVar[str] = "key"
    permission: ClassVar[str] = "orgs.change_apiclient"
    view: ClassVar[str] = "orgs.view_apiclient"
    fields: ClassVar = (
        Field(
            "request.scopes", Type.TAGS, Words("what it may do", "可执行的操作"), "request.scopes",
            choices=tuple(SCOPES.items()), is_closed=True,
        ),
        Field(
            "request.new_scopes", Type.TAGS, Words("what it could not do before", "新增的操作"), "request.new_scopes",
            choices=tuple(SCOPES.items()), is_closed=True,
        ),
        Field("request.is_new", Type.BOOLEAN, Words("a new client", "新客户端"), "request.is_new"),
    )  # fmt: skip
    labels: ClassVar[Mapping[str, Words]] = {
        **SCOPES,
        "name": Words("Name", "名称"),
        "unit": Words("Org unit", "组织"),
        "active": Words("Its calls are answered", "响应其调用"),
    }

    client: int | None = None
    name: str
    client_code: str
    unit: int
    scopes: tuple[str, ...]

    def _client(self) -> ApiClient | None:
        if self.client is None:
            return None
        client = ApiClient.objects.filter(pk=self.client, unit=self.unit).first()
        if client is None:
            raise SubjectGone()
        return client

    def place(self) -> OrgUnit:
        unit: OrgUnit | None = OrgUnit.objects.filter(pk=self.unit).first()
        if unit is None:
            raise SubjectGone()
        return unit

    def about(self) -> str:
        return f"client:{self.client_code}"

    def require_ready(self, requester: Staff | None, also: Collection[Staff], when: datetime) -> None:
        """Raises what the verb would refuse with: CodeTaken, UnknownScope, PersonalScope, NotAllowed."""
        if self._client() is None:
            require(requester, "orgs.add_apiclient", self.place())
            if _is_taken(self.client_code):
                raise CodeTaken(value=self.client_code)
        _checked(self.scopes, self.place(), requester)

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        had = _held(self._client())
        return {
            "scopes": tuple(sorted(self.scopes)),
            "new_scopes": tuple(sorted(set(self.scopes) - had)),
            "is_new": self.client is None,
        }

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        client, unit = self._client(), self.place()
        had = set(client.scopes) if client is not None else set()
        lines = [Line(scope, scope in had, scope in self.scopes) for scope in SCOPES if {scope} & {*had, *self.scopes}]
        taken = CodeTaken(value=self.client_code).sentence() if client is None and _is_taken(self.client_code) else ""
        return Effect(
            (
                *lines,
                Line("name", client.name if client is not None else None, self.name),
                Line("unit", unit.name, unit.name),
                Line("active", client is not None and client.is_active, True),
            ),
            taken,
        )

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        client, actor = self._client(), approval.requester
        if client is None:
            client, _ = create_api_client(
                self.place(), code=self.client_code, name=self.name, scopes=self.scopes, when=when, actor=actor,
                reason=approval.reason, approval=approval,
            )  # fmt: skip
        else:
            client = change_api_client(
                client, name=self.name, scopes=self.scopes, actor=actor, reason=approval.reason, when=when,
                approval=approval,
            )  # fmt: skip
            if not client.is_active:
                set_client_active(client, True, actor=actor, reason=approval.reason, when=when, approval=approval)
        return Done({"client": client.pk, "name": client.name})

    def title(self) -> Words:
        known = [SCOPES[scope] for scope in self.scopes if scope in SCOPES]
        scopes = Words(", ".join(each.en for each in known), "、".join(each.zh for each in known))
        return TITLE.format(name=self.name, unit=self.place().name, scopes=scopes)

    def address(self) -> str:
        return address("orgs_apiclient_change", self.client) if self.client is not None else ""


register(ClientAccess)


@transaction.atomic
def create_api_client(
    unit: OrgUnit,
    *,
    code: str,
    name: str,
    scopes: Iterable[str],
    when: datetime,
    actor: Staff | None = None,
    reason: str = "",
    approval: Approval | None = None,
) -> tuple[ApiClient, str]:
    """The new client and its key, which cannot be read again.

    Raises CodeTaken, UnknownScope, PersonalScope, NotAllowed, ApprovalNeeded.
    """
    require(actor, "orgs.add_apiclient", unit)
    kept = _checked(scopes, unit, actor)
    if _is_taken(code):
        raise CodeTaken(value=code)
    if actor is not None:
        subject = ClientAccess(name=name, client_code=code, unit=unit.pk, scopes=tuple(kept))
        pass_gate(subject, actor, approval, when, reason=reason)
    client = ApiClient(code=code, name=name, unit=unit, scopes=kept, created_at=when)
    key = _new_key(client)
    signed(client, actor, reason[:100]).save()
    return client, key


@transaction.atomic
def change_api_client(
    client: ApiClient,
    *,
    name: str,
    scopes: Iterable[str],
    actor: Staff | None = None,
    reason: str = "",
    when: datetime | None = None,
    approval: Approval | None = None,
) -> ApiClient:
    """`client` with a new name and new scopes. More scopes pass the gate; fewer never wait.

    Raises UnknownScope, PersonalScope, NotAllowed, ApprovalNeeded.
    """
    kept = _checked(scopes, client.unit, actor)
    if actor is not None and set(kept) - _held(client):
        _pass(access_of(client, name, kept), actor, approval, when, reason)
    client = _locked(client, actor)
    client.name, client.scopes = name, kept
    signed(client, actor, reason[:100]).save()
    return client


def access_of(client: ApiClient, name: str, scopes: Iterable[str]) -> ClientAccess:
    """What is asked for when `client` is to be called `name` and may do `scopes`."""
    return ClientAccess(client=client.pk, name=name, client_code=client.code, unit=client.unit_id, scopes=tuple(scopes))


@transaction.atomic
def rotate_key(client: ApiClient, *, actor: Staff | None = None) -> str:
    """A new key; the old one stops working at once. Raises PersonalScope, NotAllowed."""
    client = _locked(client, actor)
    _checked(client.scopes, client.unit, actor)
    key = _new_key(client)
    signed(client, actor, "key replaced").save()
    return key


@transaction.atomic
def set_client_active(
    client: ApiClient,
    is_active: bool,
    *,
    actor: Staff | None = None,
    reason: str = "",
    when: datetime | None = None,
    approval: Approval | None = None,
) -> ApiClient:
    """Lets `client` in or shuts it out, at its next call. Letting in passes the gate.

    Raises PersonalScope (letting in), NotAllowed, ApprovalNeeded.
    """
    if is_active:
        _checked(client.scopes, client.unit, actor)
    if is_active and actor is not None and not client.is_active:
        _pass(access_of(client, client.name, client.scopes), actor, approval, when, reason)
    client = _locked(client, actor)
    client.is_active = is_active
    signed(client, actor, reason[:100]).save()
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


def _pass(
    subject: ClientAccess, actor: Staff, approval: Approval | None, when: datetime | None, reason: str
) -> None:  # fmt: skip
    if when is None:
        raise ValueError("a person's giving of a right needs its instant")
    pass_gate(subject, actor, approval, when, reason=reason)


def _held(client: ApiClient | None) -> set[str]:
    """What `client` can do now: nothing while it is switched off."""
    return set(client.scopes) if client is not None and client.is_active else set()


def _is_taken(code: str) -> bool:
    return ApiClient.objects.filter(code=code).exists()


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
