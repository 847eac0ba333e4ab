"""Members over the API. Personal data is masked, but for clients that have the scope; each look in clear is on record."""

from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from apps.core.api import Body, Day, Failing, Text, Unacceptable
from apps.core.clock import now
from apps.members import services
from apps.members.merging.order import enrol_or_recognise
from apps.members.models import Consent, Member
from apps.members.privacy import consenting
from apps.members.querysets import member_within
from apps.orgs.api import ApiKey, IdempotencyKey, Scope, client_of, once
from apps.orgs.models import ApiClient
from apps.orgs.querysets import unit_within

router = Router(tags=["Members"])


class Named(Body):
    """An identifier of a member."""

    kind: Annotated[Text, Field(max_length=40)] = Field(
        "card", description="`card`, `phone`, `email` or any other kind of identifier."
    )
    value: Annotated[Text, Field(min_length=1, max_length=200)]


class NamedSent(Named):
    """An identifier of a member who is enrolled."""

    verified: bool = Field(
        False, description="Whether it is known to be theirs: by a code that was sent, a card that was shown."
    )


def _plain_value(value: Any) -> Any:
    """An attribute's value: one, or a list of texts."""
    if isinstance(value, dict) or (isinstance(value, list) and not all(isinstance(text, str) for text in value)):
        raise PydanticCustomError("attribute_value", "nested")
    return value


PlainValue = Annotated[
    Any,
    BeforeValidator(_plain_value),
    WithJsonSchema({"type": ["string", "number", "boolean", "array", "null"], "items": {"type": "string"}}),
]


ATTRIBUTES = (
    "50 at most. One that the studio defines for members of the unit is checked: a whole number, a decimal, a date or one of "
    "a list may be written as text, a choice by its value or its label, several choices as a list; what is not allowed is "
    "refused (422, `attributes_refused`), every fault in `errors`. Any other is free; a list of texts is a set of tags."
)


class MemberSent(Body):
    """A customer to enrol."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "identifiers": [
                        {"kind": "phone", "value": "+86 138 1234 1234"},
                        {"kind": "card", "value": "6001002003"},
                    ],
                    "name": "王小明",
                    "birth_on": "1990-05-04",
                    "home_unit": "S001",
                    "attributes": {"favourite": "latte", "tags": ["高活跃", "早班"]},
                }
            ]
        }
    )

    identifiers: list[NamedSent] = Field(
        min_length=1, max_length=20, description="Each names this member and no other."
    )
    name: Annotated[Text, Field(max_length=120)] = ""
    birth_on: Day | None = None
    joined_on: Day | None = Field(None, description="Today, where it is not said.")
    home_unit: Annotated[Text, Field(max_length=40)] | None = Field(
        None, description="Code of the org unit that enrols; else the client's."
    )
    attributes: dict[str, PlainValue] = Field({}, description=ATTRIBUTES)
    referrer: Named | None = Field(None, description="What names the member whose recommendation brought them.")


class MemberChanged(Body):
    """What is to change; what is left out stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "王小明", "attributes": {"favourite": "mocha"}}]}
    )

    name: Annotated[Text, Field(max_length=120)] = ""
    birth_on: Day | None = None
    home_unit: Annotated[Text, Field(max_length=40)] = ""
    attributes: dict[str, PlainValue] = Field({}, description="Replaces all attributes. " + ATTRIBUTES)
    referrer: Named | None = Field(
        None, description="What names the member whose recommendation brought them; `null`: nobody's did."
    )


class MemberAnswer(Schema):
    id: int
    state: str = Field(description="`active`, `closed` or `removed`.")
    home_unit: str
    joined_on: date
    name: str = Field(description="Masked (`王**`), but for clients with the scope `members:personal`.")
    birth_on: date | None = Field(description="Only for clients with the scope `members:personal`.")
    identifiers: list[Named] = Field(description="Masked (`138****1234`), but for clients with `members:personal`.")
    # The database keeps names in an order of its own: sorted, a kept answer is told as it was.
    attributes: Annotated[dict[str, Any], AfterValidator(lambda kept: dict(sorted(kept.items())))] = Field(
        description="Decimals and dates as text (`12.5`, `2026-05-01`), choices by their values."
    )
    is_masked: bool


class MembersAnswer(Schema):
    members: list[MemberAnswer]


@router.post("members", auth=ApiKey(Scope.MEMBERS_WRITE), response={201: MemberAnswer, 200: MemberAnswer})
def enrol_member(request: HttpRequest, member: MemberSent, key: IdempotencyKey = None) -> Status:
    """Enrols a member; the answer is masked. Scope: `members:write`.

    Takes an `Idempotency-Key`. An identifier that names somebody already is refused (409, `identifier_taken`), but where the
    programme wants it: then the answer is that member, with the identifiers that named nobody yet.
    """
    client = client_of(request)

    def enrol() -> MemberAnswer:
        unit = unit_within(client, "members.add_member", member.home_unit) if member.home_unit else client.unit
        made = enrol_or_recognise(
            client,
            unit,
            identifiers=[(each.kind, each.value) for each in member.identifiers],
            verified=[(each.kind, each.value) for each in member.identifiers if each.verified],
            name=member.name,
            birth_on=member.birth_on,
            joined_on=member.joined_on,
            attributes=member.attributes,
            referrer=member.referrer.value if member.referrer else "",
            referrer_kind=member.referrer.kind if member.referrer else None,
            when=now(),
        )
        return _masked(client, made)

    return once(request, key, member.model_dump(mode="json"), enrol)


@router.get("members", auth=ApiKey(Scope.MEMBERS_READ), response=MembersAnswer)
def find_member(
    request: HttpRequest,
    identifier: Annotated[
        str, Query(max_length=250, description="Kind and value: `phone:13812341234`.", examples=["phone:13812341234"])
    ],
) -> dict[str, Any]:
    """The member that an identifier names, or none. Each search is on record. Scope: `members:read`."""
    client = client_of(request)
    kind, colon, value = identifier.rpartition(":")
    if not (colon and kind and value.strip()):
        raise Unacceptable([Failing("identifier", "wrong_form")])
    member = services.find_by_identifier(client, kind, value)
    return {"members": [] if member is None else [_told(client, member)]}


@router.get("members/{int:member_id}", auth=ApiKey(Scope.MEMBERS_READ), response=MemberAnswer)
def read_member(request: HttpRequest, member_id: int) -> MemberAnswer:
    """A member; masked, but for clients that also have the scope `members:personal`. Scope: `members:read`."""
    client = client_of(request)
    return _told(client, member_within(client, member_id))


@router.patch("members/{int:member_id}", auth=ApiKey(Scope.MEMBERS_WRITE), response={200: MemberAnswer})
def change_member(request: HttpRequest, member_id: int, member: MemberChanged, key: IdempotencyKey = None) -> Status:
    """Changes what is sent of a member; the answer is masked. Scope: `members:write`. Takes an `Idempotency-Key`."""
    client = client_of(request)
    sent = member.model_dump(exclude_unset=True)

    def change() -> MemberAnswer:
        if "home_unit" in sent:
            sent["home_unit"] = unit_within(client, "members.change_member", sent["home_unit"])
        if "referrer" in sent:
            sent["referrer"] = (member.referrer.kind, member.referrer.value) if member.referrer else (None, "")
        return _masked(client, services.change_member(client, answering.pk, when=now(), **sent))

    answering = member_within(client, member_id)
    return Status(200, once(request, key, member.model_dump(mode="json", exclude_unset=True), change).value)


class ConsentSent(Body):
    """What a member agreed to, or withdrew."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"purpose": "offers", "channel": "sms", "given": True, "proof": "app, screen 12, 2026-05-04"}]
        }
    )

    purpose: Annotated[Text, Field(max_length=60)] = Field(description="The key of the purpose.")
    channel: Annotated[Text, Field(max_length=10)] = Field(
        description="`sms`, `email`, `phone`, `wechat`, `post` or `app`."
    )
    given: bool = Field(description="`false` withdraws it.")
    proof: Annotated[Text, Field(max_length=500)] = Field("", description="Needed where it is given; no personal data.")


class ConsentAnswer(Schema):
    purpose: str
    channel: str
    given: bool
    version: int = Field(description="Of the wording that was agreed to.")
    at: datetime


class ConsentsAnswer(Schema):
    consents: list[ConsentAnswer] = Field(description="How it stands now, by purpose and channel.")


@router.post(
    "members/{int:member_id}/consents",
    auth=ApiKey(Scope.MEMBERS_WRITE),
    response={201: ConsentAnswer, 200: ConsentAnswer},
)
def record_consent(request: HttpRequest, member_id: int, consent: ConsentSent, key: IdempotencyKey = None) -> Status:
    """Records that a member agreed to a purpose, or withdrew, in one channel. Scope: `members:write`.

    Takes an `Idempotency-Key`.
    """
    client = client_of(request)
    member_within(client, member_id)

    def record() -> ConsentAnswer:
        made = consenting.record_consent(
            client, member_id, purpose=consent.purpose, channel=consent.channel, is_given=consent.given,
            source=Consent.Source.API, proof=consent.proof, when=now(),
        )  # fmt: skip
        return _consent(made)

    return once(request, key, consent.model_dump(mode="json"), record)


@router.get("members/{int:member_id}/consents", auth=ApiKey(Scope.MEMBERS_READ), response=ConsentsAnswer)
def read_consents(request: HttpRequest, member_id: int) -> dict[str, Any]:
    """How a member's consents stand, by purpose and channel. Scope: `members:read`."""
    member = member_within(client_of(request), member_id)
    stands = consenting.standing(consenting.purposes_of(member), consenting.consents_of(member))
    return {"consents": [_consent(each) for row in stands for each in row.channels if each is not None]}


def _consent(consent: Consent) -> ConsentAnswer:
    return ConsentAnswer(
        purpose=consent.purpose.key, channel=consent.channel, given=consent.is_given, version=consent.wording.version, at=consent.at,
    )  # fmt: skip


def _told(client: ApiClient, member: Member) -> MemberAnswer:
    """The member as `client` may see them; in clear it is a look, which is on record."""
    if Scope.MEMBERS_PERSONAL not in client.scopes:
        return _masked(client, member)
    seen = services.reveal(client, member.pk, reason=f"API {client.code}", when=now())
    answer = _masked(client, member)
    answer.name, answer.birth_on, answer.is_masked = seen.name, seen.birth_on, False
    answer.identifiers = [Named(kind=each.kind, value=each.value) for each in seen.identifiers]
    return answer


def _masked(client: ApiClient, member: Member) -> MemberAnswer:
    identifiers = member.identifiers.visible_to(client, "members.view_member").order_by("kind", "pk")
    return MemberAnswer(
        id=member.pk,
        state=member.state,
        home_unit=member.home_unit.code,
        joined_on=member.joined_on,
        name=member.masked_name,
        birth_on=None,
        identifiers=[Named(kind=each.kind, value=each.masked) for each in identifiers],
        attributes=member.attributes,
        is_masked=True,
    )
