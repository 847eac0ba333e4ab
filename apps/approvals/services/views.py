"""Views of the inbox that a person keeps for themselves."""

from apps.approvals.errors import NameNeeded
from apps.approvals.models import SavedView
from apps.approvals.services.notes import kept
from apps.core.transactions import in_transaction
from apps.orgs.models import Staff

MOST = 20


@in_transaction
def save_view(actor: Staff, name: str, query: str) -> SavedView:
    """The tab and filters of `query` under `name`; in the place of what had that name. Raises NameNeeded."""
    name = kept(name, 60)
    if not name or SavedView.objects.filter(person=actor).exclude(name=name).count() >= MOST:
        raise NameNeeded(most=MOST)
    return SavedView.objects.update_or_create(person=actor, name=name, defaults={"query": query[:300]})[0]


@in_transaction
def forget_view(actor: Staff, pk: int) -> None:
    """Removes one of the views of `actor`, where it is there."""
    SavedView.objects.filter(person=actor, pk=pk).delete()
