"""The form of a new policy, and the texts of the page on which its draft is written."""

import json
from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy, pgettext
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminSelectWidget

from apps.approvals.catalogue import ROLES
from apps.approvals.models import Policy
from apps.approvals.templates_of import STARTS, starts_for
from apps.orgs.gate import kinds

LONGEST = 200_000


class NewPolicyForm(forms.ModelForm):
    """What it is for, where, and what it begins from."""

    actor: Any
    kind = forms.ChoiceField(label=gettext_lazy("What is asked for"), widget=UnfoldAdminSelectWidget)
    start = forms.ChoiceField(label=gettext_lazy("Begin from"), required=False, widget=forms.RadioSelect())

    class Meta:
        model = Policy
        fields = ("kind", "unit")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" not in self.fields:
            return
        language = get_language() or "en"
        choices = [(code, kind.label.in_language(language)) for code, kind in kinds().items()]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]
        said = [(each.code, each.name.in_language(language)) for each in STARTS]
        self.fields["start"].choices = said  # type: ignore[attr-defined]
        self.fields["start"].initial = "empty"
        if "unit" in self.fields:
            self.fields["unit"].empty_label = None  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        kind, code = data.get("kind"), data.get("start") or "empty"
        start = next((each for each in starts_for(kind) if each.code == code), None) if kind else None
        if kind and start is None:
            self.add_error("start", _("This does not fit what is asked for; choose another."))
        data["definition"] = start.definition(kind, get_language() or "en") if start is not None and kind else None
        return data


def starts_by_kind() -> dict[str, Any]:
    """For the page of a new policy: what each way to begin says, and which of them fit each kind."""
    language = get_language() or "en"
    return {
        "says": {each.code: each.says.in_language(language) for each in STARTS},
        "fits": {code: [each.code for each in starts_for(code)] for code in kinds()},
    }


def decoded(text: str) -> Any:
    """The JSON in `text`; None where it is none."""
    try:
        return json.loads(text) if len(text) <= LONGEST else None
    except (ValueError, RecursionError):
        return None


def role_choices() -> list[tuple[str, str]]:
    """The roles in the language in force."""
    return [(str(code), words.in_language(get_language() or "en")) for code, words in ROLES.items()]


def editor_words() -> dict[str, str]:
    """The texts of the editor."""
    return {
        "band": _("Band {number}"),
        "band_named": _("Band {number}: {name}"),
        "name": _("Name of the band"),
        "why": _("Why: whoever decides reads it"),
        "when": _("When it applies"),
        "steps": _("Who must say yes"),
        "step": _("Step {number}"),
        "no_steps": _("Nobody: such a request is carried out at once."),
        "add_band": _("Add a band"),
        "add_step": _("Add a step"),
        "add_party": _("and somebody else"),
        "remove_party": _("Remove this one"),
        "who": _("Who"),
        "person": _("User name"),
        "person_hint": _("Name or user name…"),
        "manager": _("the requester's manager"),
        "named": _("a person, by name"),
        "need": _("How many of them"),
        "any": _("any one of them"),
        "all": _("all of them"),
        "several": _("so many of them:"),
        "count": _("Number of people"),
        "hours": pgettext("before a number of hours", "within"),
        "hours_label": _("Deadline in working hours"),
        "hours_after": pgettext("after a number", "working hours"),
        "remind": pgettext("before a number of hours", "reminded after"),
        "remind_label": _("Reminder in working hours"),
        "escalate": _("after the deadline also ask"),
        "escalate_add": _("somebody…"),
        "escalate_remove": _("Ask {who} no more after the deadline"),
        "otherwise": _("Whatever fits no band"),
        "at_once": _("is carried out at once"),
        "refused": _("is refused"),
        "handle": _("Drag to move; Alt+↑ ↓ moves, Delete removes"),
        "up": _("Move up: {what}"),
        "down": _("Move down: {what}"),
        "top": _("Move to the top: {what}"),
        "duplicate": _("Duplicate: {what}"),
        "remove": _("Remove: {what}"),
        "moved": _("{what} moved to place {number}."),
        "removed": _("Removed: {what}. Ctrl+Z brings it back."),
        "added": _("Added: {what}."),
        "copy": _("{name} (copy)"),
        "try_one": _("Try it"),
        "covers": _("What it covers"),
        "unit": _("Sent at"),
        "requester": _("Sent by (user name, for their manager)"),
        "yes": _("yes"),
        "no": _("no"),
        "unknown": _("not known"),
        "tags_hint": _("Several with commas between them"),
        "nothing_asked": _("The bands ask for nothing yet: every request goes the same road."),
        "not_reached": _("The studio cannot be reached just now."),
        "saving": _("Saving…"),
        "saved": _("Saved."),
        "saved_ago": _("Saved {ago}."),
        "saved_by": _("Saved {ago} by {who}."),
        "unsaved": _("Not saved yet."),
        "unsaved_faults": _("Not saved yet: mend what is marked."),
        "unsaved_offline": _("Not saved: the studio cannot be reached. It is tried again."),
        "changed_by": _("Changed {ago} by {who}. What you write here is kept, but not saved over it."),
        "changed_ago": _("Changed {ago} by somebody else. What you write here is kept, but not saved over it."),
        "yours_differs": _("From theirs to yours:"),
        "take_theirs": _("Take theirs"),
        "keep_mine": _("Save mine over it"),
    }
