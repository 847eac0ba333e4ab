"""The HTTP API, version 1: every room's calls at one address, and which refusals are told with which status."""

from apps.core.api import StudioAPI
from apps.core.api.health import router as health
from apps.members.api import router as members
from apps.points.api import router as points
from apps.rules.api import router as events

DESCRIPTION = """
For tills, web shops and ERPs: tell what members did, enrol and change members, read balances, redeem points.

**Keys.** Send `Authorization: Bearer` and the key of an API client. A client has scopes and belongs to an org unit;
what lies outside that unit does not exist for it.

**Sending again.** Every write carries a key of its own (`key` of an event) or takes an `Idempotency-Key`. The same key
with the same content has its effect once and is answered with the first answer; with other content it is refused
with 409. So whatever was not answered can be sent again.

**Problems** are told as `application/problem+json` (RFC 9457): `code` never changes and is for programs; `detail` is for
people, in English or, with `Accept-Language: zh-hans`, in Simplified Chinese; `errors` names every field at fault.

**Numbers.** Points are whole numbers. Amounts are decimal numbers, best sent as texts (`"64.00"`), of the programme's
currency. Instants are ISO 8601 with an offset.
"""

api = StudioAPI(
    title="Loyalty Studio",
    version="1",
    urls_namespace="api",
    description=DESCRIPTION,
    statuses={
        "scope_missing": 403,
        "no_such_member": 404,
        "no_such_redemption": 404,
        "hold_ended": 409,
        "identifier_taken": 409,
        "identifier_blocked": 409,
        "member_erased": 409,
        "key_reused": 409,
        "too_many_tries": 429,
    },
)
for router in (events, members, points, health):
    api.add_router("", router)
