"""The certificate of an erasure, as a page and as one file: what went, what stayed and why, and a digest of it all."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.conditions.words import Words
from apps.members.models import Erasure


@dataclass(frozen=True)
class Row:
    """What an erasure came to in one table."""

    holds: str
    went: int
    stayed: int
    stays: str


@dataclass(frozen=True)
class Certificate:
    erasure: Erasure
    rows: list[Row]
    digest: str


def certificate_of(erasure: Erasure) -> Certificate:
    """In the language in force. The digest is of what is kept, and the same in each language."""
    lines = list(erasure.lines.order_by("pk"))
    told = [
        erasure.pk, erasure.member_id, erasure.why, erasure.at, erasure.actor_id, erasure.client_id, erasure.blocked,
        [[line.relation, line.label, line.went, line.stayed, line.stays] for line in lines],
    ]  # fmt: skip
    digest = hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)).hexdigest()
    rows = [Row(_said(line.label), line.went, line.stayed, _said(line.stays)) for line in lines]
    return Certificate(erasure, rows, digest)


def _said(words: Mapping[str, Any]) -> str:
    return Words(words["en"], words["zh"]).in_language(get_language() or "en") if words else ""


def as_text(certificate: Certificate) -> str:
    """The certificate as one text."""
    erasure = certificate.erasure
    head = [
        _("Certificate of erasure #%(number)s") % {"number": erasure.pk},
        "",
        _("Erased: %(member)s") % {"member": erasure.member},
        _("When: %(when)s") % {"when": erasure.at.isoformat(sep=" ", timespec="seconds")},
        _("By: %(author)s") % {"author": erasure.author},
        _("Reason: %(reason)s") % {"reason": erasure.get_why_display()},
        _("Identifiers blocked from coming back: %(number)s") % {"number": erasure.blocked},
        "",
    ]
    body = []
    for row in certificate.rows:
        body.append(_("%(what)s: %(went)s emptied or removed, %(stayed)s stay") % {
            "what": row.holds, "went": f"{row.went:,}", "stayed": f"{row.stayed:,}",
        })  # fmt: skip
        if row.stays:
            body.append(f"    {row.stays}")
    return "\n".join([*head, *body, "", f"SHA-256: {certificate.digest}", ""])
