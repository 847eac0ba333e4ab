"""What a member still has when they are erased: given up, as postings like any other."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.points.book import Book, LotState
from apps.points.models import Account
from apps.points.services.ledger import act, open_account, open_lots, post


def points_left(member_id: int, when: datetime) -> int:
    """The points that a member still has: spendable and pending, of all their accounts."""
    accounts = Account.objects.filter(member=member_id)
    total = 0
    for account in accounts:
        lots = open_lots([account.pk])
        total += account.pending + _spendable(lots, account.debt, account.lapses_at, when)
    return total


def forfeit_all(actor: Any, member_id: int, *, when: datetime) -> int:
    """Takes all that a member still has, account by account; how many points. Whoever calls has checked the right to."""
    total = 0
    for pk in Account.objects.filter(member=member_id).order_by("pk").values_list("pk", flat=True):
        opened = open_account(pk)
        lots, book = open_lots([pk]), Book()

        def circumstances(what: object) -> Any:
            reason = _("Forfeited when the member was erased")
            return act(opened, f"erasure:{member_id}:{what}", when, actor=actor, reason=reason)  # noqa: B023 -- called at once

        book.lapse(opened.state, circumstances(f"lapse:{pk}"), lots)
        settled = _spendable(lots, opened.state.debt, None, when)
        if settled:
            book.redeem(opened.state, circumstances(pk), lots, settled, kind="adjust")
        total += settled
        for lot in lots:
            if lot.is_pending:
                total += lot.remaining
                book.take_back(opened.state, circumstances(f"lot:{lot.id}"), lot, lot.remaining, [], kind="adjust")
        post(book)
    return total


def _spendable(lots: list[LotState], debt: int, lapses_at: datetime | None, when: datetime) -> int:
    if lapses_at is not None and lapses_at <= when:
        return 0
    return max(0, sum(lot.free for lot in lots if lot.is_spendable(when)) - debt)
