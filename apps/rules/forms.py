"""The form of a rule: its name and place, and its draft as JSON in one hidden field that the editor fills."""

import json
from datetime import datetime
from itertools import chain
from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy, pgettext
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.activity.seen import values_seen
from apps.conditions.describing import describe, field_described
from apps.members.fields import attribute_fields
from apps.members.models import AttributeDefinition
from apps.members.querysets import definitions_at, governing
from apps.orgs.models import OrgUnit, Program
from apps.orgs.querysets import programs_reached
from apps.rules.catalogue import CATALOGUE
from apps.rules.codes.reading import codes_seen
from apps.rules.definition import MOST_EFFECTS, MOST_LIMITS, MOST_ROWS
from apps.rules.errors import DefinitionFaulty, RuleCodeTaken
from apps.rules.kinds import KINDS
from apps.rules.models import HeldDecision, Rule, RuleVersion
from apps.rules.reading import open_requests
from apps.rules.sentences import PERIODS
from apps.rules.services import checked
from apps.rules.starting import free_code
from apps.segments.catalogue import words_of_tags

FRESH: dict[str, Any] = {
    "condition": {"all": [{"field": "event.kind", "op": "eq", "value": "purchase"}]},
    "effects": [
        {"effect": "points_per_amount", "point_type": "", "points": "1", "per": "1", "rounding": "down", "lines": None}
    ],
    "limits": [],
}
LONGEST = 500_000
MOST_GIVING = 100
"""Versions of rules that are looked at for the tags they give."""


class RuleForm(forms.ModelForm):
    """`cleaned_data["definition"]` is the decoded JSON, checked as the service will check it."""

    actor: Any
    draft: RuleVersion | None = None
    definition = forms.CharField(
        widget=forms.HiddenInput(attrs={"data-rule-definition": True, "autocomplete": "off"}),
        max_length=LONGEST,
        label=gettext_lazy("the rule"),
    )
    revision = forms.IntegerField(required=False, widget=forms.HiddenInput(attrs={"autocomplete": "off"}))

    class Meta:
        model = Rule
        fields = ("name", "code", "program", "unit", "allows_override")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.faults: list[dict[str, Any]] = []
        if self.instance.pk:
            self.draft = RuleVersion.objects.filter(rule=self.instance, state=RuleVersion.State.DRAFT).first()
            if self.draft is not None and open_requests([self.instance]):
                self.draft = None  # it stays as it was sent
        if self.instance.pk and self.draft is None:
            del self.fields["definition"], self.fields["revision"]
            return
        content = self.draft.definition if self.draft else self.initial.get("definition") or self._fresh()
        self.initial["definition"] = json.dumps(content, ensure_ascii=False)
        self.initial["revision"] = self.draft.revision if self.draft else None
        for name in ("program", "unit"):
            if name in self.fields:
                self.fields[name].empty_label = None  # type: ignore[attr-defined]
                for verb in ("add", "change", "view", "delete"):
                    setattr(self.fields[name].widget, f"can_{verb}_related", False)

    def _fresh(self) -> dict[str, Any]:
        """What a new rule says at first: a point for each unit of money, of the programme's first kind."""
        kinds = [kind.code for program in self.programs()[:1] for kind in program.point_types.order_by("pk")[:1]]
        return FRESH | {"effects": [FRESH["effects"][0] | {"point_type": (kinds or [""])[0]}]}

    def programs(self) -> list[Program]:
        if self.instance.pk:
            return [self.instance.program]
        return list(programs_reached(self.actor, "rules.add_rule"))

    def _seen(self) -> dict[str, list[str]]:
        """What events and members said lately; of tags first those that are defined, and at last what rules are to give."""
        seen = values_seen(self.actor) | codes_seen(self.actor)
        giving = RuleVersion.objects.visible_to(self.actor).filter(definition__effects__contains=[{"effect": "tag"}])
        effects = chain.from_iterable(
            giving.order_by("-pk").values_list("definition__effects", flat=True)[:MOST_GIVING]
        )
        given = [effect["tag"] for effect in effects if effect.get("effect") == "tag"]
        defined = words_of_tags(self.programs())
        return seen | {"member.tags": list(dict.fromkeys([*defined, *seen["member.tags"], *given]))}

    def config(self) -> dict[str, Any]:
        """All that the editor needs to know."""
        language = get_language() or "en"
        programs = self.programs()
        defined = definitions_at(program.unit.path for program in programs)
        return {
            "catalogue": describe(CATALOGUE, language),
            "programs": {
                str(program.pk): _program(program, governing(defined, program.unit.path)) for program in programs
            },
            "program": str(programs[0].pk) if programs else None,
            "seen": self._seen(),
            "most": {"effects": MOST_EFFECTS, "limits": MOST_LIMITS, "rows": MOST_ROWS},
            "goal": goal_choices(),
            "limits": limit_choices(language),
            "stacking": [
                ("", _("adds up with all other rules")),
                ("best", _("of its group, only the rule that gives most")),
                ("first", _("of its group, only the first that gives any")),
                ("sum", _("adds up with its group, in their order")),
            ],
            "validity": validity_choices(),
            "effects": effect_choices(),
            "words": editor_words(),
            "suggestion": free_code(programs, "rule"),
            "faults": self.faults,
            "is_unsaved": self.is_bound,
        }

    def clean_definition(self) -> Any:
        definition = decoded(self.cleaned_data["definition"])
        if definition is None:
            raise forms.ValidationError(_("The rule did not arrive in one piece. Reload the page."))
        return definition

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        program = self.instance.program if self.instance.pk else data.get("program")
        code = data.get("code")
        if (
            code
            and program is not None
            and Rule.objects.filter(program=program, code=code).exclude(pk=self.instance.pk).exists()
        ):
            self.add_error("code", str(RuleCodeTaken(code=code)))
        if program is not None and "definition" in data:
            try:
                checked(program, data["definition"])
            except DefinitionFaulty as refusal:
                self.faults += faults_in_words(refusal)
                self.add_error("definition", _("Mend what is marked below; nothing you typed is lost."))
        return data


class DecisionForm(forms.Form):
    """A decision on held events, and why."""

    verdict = forms.ChoiceField(choices=HeldDecision.Verdict.choices)
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("It stays beside the points for ever, with your name."),
    )  # fmt: skip


def told_of(draft: RuleVersion, when: datetime) -> dict[str, Any]:
    """Which revision of a draft there is, who saved it and how many seconds ago."""
    saved_at = draft.changed_at or draft.created_at
    seconds = max(0, round((when - saved_at).total_seconds()))
    return {"revision": draft.revision, "who": str(draft.changed_by or ""), "seconds": seconds}


def decoded(text: str) -> Any:
    """The JSON in `text`; None where it is none."""
    try:
        return json.loads(text) if len(text) <= LONGEST else None
    except (ValueError, RecursionError):
        return None


def faults_in_words(refusal: DefinitionFaulty) -> list[dict[str, Any]]:
    """Every fault with the path to its row, in the language in force."""
    code = get_language() or "en"
    return [{"path": list(fault.path), "message": fault.message.in_language(code)} for fault in refusal.faults]


def _program(program: Program, defined: list[AttributeDefinition]) -> dict[str, Any]:
    units = OrgUnit.objects.within(program.unit.path).order_by("path").values_list("code", "name", "depth")
    return {
        "currency": program.currency,
        "zone": program.time_zone,
        "kinds": list(program.point_types.order_by("pk").values_list("code", "name")),
        "attributes": [
            field_described(field, get_language() or "en") | {"is_retired": not each.is_active}
            for each, field in zip(defined, attribute_fields(defined), strict=True)
        ],
        "named": {"event.special_days": list(program.special_days.order_by("pk").values_list("code", "name"))},
        "units": [[code, name, depth - program.unit.depth] for code, name, depth in units],
    }


def goal_choices() -> dict[str, list[tuple[str, str]]]:
    """What the choices of a goal offer."""
    return {
        "fires": [
            ("", _("each time the conditions hold")), ("goal", _("once, when a member has")),
            ("step", _("each time a member has a further")),
        ],
        "of": [
            ("events", _("such events")), ("amount", pgettext("after an amount", "spent")),
            ("pieces", pgettext("after a number", "pieces bought")), ("stores", _("different stores")),
            ("channels", _("different channels")), ("days", _("different days")), ("articles", _("different articles")),
            ("categories", _("different categories")), ("streak", _("days in a row")),
            ("attribute_sum", _("in all of the attribute")),
            ("attribute_values", _("different values of the attribute")),
        ],
        "period": [
            ("ever", _("however long it takes")), ("day", _("in a day")), ("week", _("in a week")),
            ("month", _("in a month")), ("quarter", _("in a quarter")), ("year", _("in a year")),
        ],
    }  # fmt: skip


def limit_choices(language: str) -> dict[str, list[tuple[str, str]]]:
    """What the three choices of a limit offer."""
    return {
        "of": [
            ("points", _("points")), ("times", _("times")), ("amount", _("spent, of what earns")),
            ("pieces", _("pieces, of what earns")), ("cost", _("as the cost of the points")),
        ],
        "period": [(code, words.in_language(language)) for code, words in PERIODS.items()],
        "per": [
            ("member", _("for one member")), ("store", _("in one store")), ("programme", _("in all")),
            ("device", _("from one device")), ("event", _("for one event")),
        ],
    }  # fmt: skip


def validity_choices() -> dict[str, list[tuple[str, str]]]:
    """What the choices of a rule's validity offer."""
    return {
        "expiry": [
            ("", _("as their kind says")), ("never", _("never")), ("after_days", _("days after earning")),
            ("end_of", pgettext("before month, quarter or year", "at the end of the")),
        ],
        "period": [("month", _("month")), ("quarter", _("quarter")), ("year", _("year"))],
        "pending": [
            ("", _("as their kind says")), ("days", _("days after earning")),
            ("until", _("when an event confirms them")),
        ],
    }  # fmt: skip


def effect_choices() -> dict[str, list[tuple[str, str]]]:
    """What the choices of an effect offer."""
    return {
        "effect": [(kind.name, str(kind.label)) for kind in KINDS.values()],
        "rounding": [
            ("down", _("rounded down")), ("half_up", _("rounded to the nearest")), ("up", _("rounded up")),
            ("carry", _("rounded down, the rest counts next time")),
        ],
        "start": [
            ("now", _("from now on")), ("next_week", _("from next week on")), ("next_month", _("from next month on")),
            ("next_quarter", _("from next quarter on")), ("next_year", _("from next year on")),
        ],
        "of": [("base", _("what rules without a multiplier give")), ("all", _("everything that rules before it give"))],
        "without": [
            ("", _("all that is paid counts")), ("tax", _("tax does not count")),
            ("shipping", _("shipping does not count")), ("tax shipping", _("tax and shipping do not count")),
        ],
        "each": [("", _("rounded once for the order")), ("line", _("each line rounded by itself"))],
        "hit": [
            ("first", _("the first row that holds")), ("best", _("the row that gives most")),
            ("sum", _("all rows that hold, together")),
        ],
    }  # fmt: skip


def editor_words() -> dict[str, str]:
    """The texts of the editor."""
    return {
        "earn": _("What members earn"),
        "how": _("How points are given"),
        "kind": _("Kind of points"),
        "points": _("Points"),
        "points_for_each": _("points for each"),
        "amount": _("Amount"),
        "spent": pgettext("after an amount", "spent"),
        "rounding": _("Rounding"),
        "quantity": _("Pieces"),
        "points_for_pieces": pgettext("before a number of pieces", "points for each"),
        "pieces": pgettext("after a number", "pieces bought"),
        "times": _("Times"),
        "times_what": pgettext("after a multiplier", "times as much as"),
        "multiplied": _("What is multiplied"),
        "held_because": _("all points of the event wait, because of"),
        "hit": _("Which rows give points"),
        "row": _("Row {number}"),
        "row_when": pgettext("header of a decision table", "When"),
        "row_per": _("for each {currency}"),
        "once": pgettext("points that do not depend on the amount", "once"),
        "row_paste": _("Paste a column of points, or two columns: values and points."),
        "add_row": _("Add a row"),
        "remove_row": _("Remove this row"),
        "fill_down": _("Fill down: the same points in all rows below"),
        "filled": _("{n} rows filled."),
        "pasted_rows": _("{n} rows pasted."),
        "lines": _("Which lines of the order count"),
        "all_lines": _("the whole order counts"),
        "some_lines": _("only lines count where…"),
        "more": _("Tax, shipping and rounding"),
        "without": _("What counts of the price"),
        "each": _("What is rounded"),
        "add_effect": _("Add something to earn"),
        "remove_effect": _("Remove this"),
        "when": _("When it applies"),
        "tag": _("Tag"),
        "tag_start": _("From when on"),
        "tag_lasts": _("How long"),
        "tag_for_ever": _("for ever"),
        "tag_whole_period": _("until that period is over"),
        "tag_days": pgettext("how long", "for so many days"),
        "goal": _("Goal"),
        "goal_fires": _("When it gives"),
        "goal_at": _("How much"),
        "goal_of": _("Of what is gathered"),
        "goal_attribute": _("Name of the attribute"),
        "goal_period": _("In which time"),
        "goal_hint": _(
            "Only an event that reaches the goal earns what stands above, and a rate counts that event alone. A refund "
            "takes away what its purchase brought, and what the goal gave where it is no longer reached."
        ),
        "limit": _("Limits"),
        "add_limit": _("Add a limit"),
        "remove_limit": _("Remove this limit"),
        "at_most": _("at most"),
        "most": _("At most"),
        "limit_of": _("Of what"),
        "limit_period": _("In which period"),
        "limit_per": _("For whom"),
        "stacking": _("Beside other rules"),
        "how_stacking": _("Together with other rules it"),
        "stacking_group": _("Group of rules"),
        "stacking_order": _("Number in the group"),
        "stacking_hint": _(
            "Only one rule of a group gives points to an event. Where two give the same, the lower number goes first."
        ),
        "stacking_hint_sum": _("All rules of the group give points to an event, the lower numbers first."),
        "validity": _("How long the points last"),
        "validity_expiry": _("The points expire"),
        "validity_pending": _("They can be spent"),
        "validity_days": _("Number of days"),
        "validity_period": _("End of the"),
        "days": pgettext("after a number", "days"),
        "years": pgettext("after a number", "years"),
        "plus": pgettext("before a number", "plus"),
        "plus_years": _("plus years"),
        "plus_days": _("plus days"),
        "until_kind": _("Kind of event, such as delivery"),
        "until_hint": _(
            "The points stay pending until an event of this kind names in “confirms” the event that earned them. "
            "A refund before that takes them back."
        ),
        "limit_hint": _(
            "What a limit cuts off is kept beside each award; an order that crosses a limit of money is split there. "
            "Weeks begin on Monday. Events without a device are held against no limit of devices."
        ),
        "sentence": _("The rule in one sentence"),
        "keys": _("Alt+↑ ↓ moves a row, Ctrl+D duplicates it, Delete on its handle removes it, Ctrl+Z undoes."),
        "not_saved": _("The preview cannot be reached just now."),
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
