"""The forms of tags and segments. A condition is JSON in one hidden field that static/segments/editor.js fills."""

import json
from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminSelectWidget

from apps.activity.seen import values_seen
from apps.activity.segments import TAGS
from apps.conditions.describing import describe, field_described
from apps.members.fields import attribute_fields
from apps.members.models import AttributeDefinition
from apps.members.querysets import definitions_at, governing
from apps.orgs.forms import ReasonForm
from apps.orgs.models import OrgUnit, Program
from apps.orgs.querysets import colleagues_of, programs_reached
from apps.segments.catalogue import MEMBERS, words_of_tags
from apps.segments.models import DEEPEST, Segment, Tag

LONGEST = 200_000
NOTHING: dict[str, Any] = {"all": []}
HIDDEN = forms.HiddenInput(attrs={"data-condition": True, "autocomplete": "off"})


def decoded(text: str) -> Any:
    """The JSON in `text`; None where it is none."""
    try:
        return json.loads(text) if len(text) <= LONGEST else None
    except (ValueError, RecursionError):
        return None


class ConditionForm(ReasonForm):
    """A form with a condition over the members of a programme."""

    actor: Any
    add_permission = ""
    condition = forms.CharField(widget=HIDDEN, max_length=LONGEST, label=gettext_lazy("condition"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["condition"] = json.dumps(self.instance.condition or NOTHING, ensure_ascii=False)
        for name in {"program", "parent", "owner"} & self.fields.keys():
            for verb in ("add", "change", "view", "delete"):
                setattr(self.fields[name].widget, f"can_{verb}_related", False)
        if "program" in self.fields:
            self.fields["program"].empty_label = None  # type: ignore[attr-defined]

    def programs(self) -> list[Program]:
        if self.instance.pk:
            return [self.instance.program]
        return list(programs_reached(self.actor, self.add_permission))

    def clean_condition(self) -> Any:
        if self.instance.pk and "condition" not in self.data:
            return self.instance.condition  # the page of a tag that holds others together does not ask for it
        condition = decoded(self.cleaned_data["condition"])
        if condition is None:
            raise forms.ValidationError(_("The condition did not arrive in one piece. Reload the page."))
        return condition

    def config(self) -> dict[str, Any]:
        """All that the editor needs to know."""
        language = get_language() or "en"
        programs = self.programs()
        defined = definitions_at(program.unit.path for program in programs)
        seen = values_seen(self.actor)
        return {
            "catalogue": describe(MEMBERS, language),
            "programs": {str(each.pk): _known(each, governing(defined, each.unit.path)) for each in programs},
            "program": str(programs[0].pk) if programs else "",
            "seen": seen | {TAGS: list(dict.fromkeys([*words_of_tags(programs), *seen[TAGS]]))},
        }


def _known(program: Program, defined: list[AttributeDefinition]) -> dict[str, Any]:
    units = OrgUnit.objects.within(program.unit.path).order_by("path").values_list("code", "name", "depth")
    return {
        "attributes": [
            field_described(field, get_language() or "en") | {"is_retired": not each.is_active}
            for each, field in zip(defined, attribute_fields(defined), strict=True)
        ],
        "units": [[code, name, depth - program.unit.depth] for code, name, depth in units],
    }


class TagForm(ConditionForm):
    add_permission = "segments.add_tag"
    given = forms.ChoiceField(
        label=gettext_lazy("Who gets it"), widget=UnfoldAdminSelectWidget, required=False,
        choices=[
            ("condition", gettext_lazy("members for whom a condition holds")),
            ("rules", gettext_lazy("members to whom a rule, or somebody by hand, gives it")),
            ("above", gettext_lazy("nobody: it holds other tags together")),
        ],
    )  # fmt: skip

    class Meta:
        model = Tag
        fields = ("program", "parent", "key")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            is_above = self.instance.children.exists()
            self.initial["given"] = "condition" if self.instance.condition else "above" if is_above else "rules"
        if "parent" in self.fields:
            parents: Any = self.fields["parent"]
            parents.queryset = (
                Tag.objects.visible_to(self.actor, "segments.add_tag")
                .filter(depth__lt=DEEPEST, condition__isnull=True, rfm_group="")
                .order_by("program", "place")
            )
            parents.empty_label = _("nothing: it stands at the top")
            parents.label_from_instance = lambda tag: f"{'· ' * (tag.depth - 1)}{tag}"
        if "owner" in self.fields:
            self.fields["owner"].queryset = colleagues_of(self.actor)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("given", "condition") != "condition":
            data["condition"] = None
        return data


class SegmentForm(ConditionForm):
    add_permission = "segments.add_segment"

    class Meta:
        model = Segment
        fields = ("program", "key")
