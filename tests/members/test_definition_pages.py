"""The pages on which attributes of members are defined."""

from typing import Any

from django.urls import reverse

from apps.members.models import AttributeDefinition
from tests.factories import CoffeeGroup
from tests.members.test_defining import define, in_use  # noqa: F401

LIST = reverse("admin:members_attributedefinition_changelist")
ADD = reverse("admin:members_attributedefinition_add")
FORM = {"key": "level", "type": "choice", "label": "Level", "label_zh": "等级", "description": "", "position": "0"}
ROWS = {
    "choices-label": ["Silver", "Gold", "", ""], "choices-label_zh": ["银卡", "", "普卡", ""],
    "choices-value": ["s", "", "", ""],
}  # fmt: skip


def page(definition: AttributeDefinition, name: str = "change") -> str:
    return reverse(f"admin:members_attributedefinition_{name}", args=[definition.pk])


def test_marketing_defines_a_list_row_by_row(browse: Any, group: CoffeeGroup) -> None:
    marketing = browse("marketing")
    assert "No attribute yet." in marketing.get(LIST).content.decode()
    answer = marketing.post(ADD, FORM | ROWS | {"unit": group["EAST"].pk, "in_list": "on"})
    assert answer.status_code == 302
    made = AttributeDefinition.objects.get()
    assert (made.unit, made.type, made.in_list) == (group["EAST"], "choice", True)
    assert made.choices == [
        {"value": "s", "label": "Silver", "label_zh": "银卡"}, {"value": "Gold", "label": "Gold", "label_zh": ""},
        {"value": "普卡", "label": "", "label_zh": "普卡"},
    ]  # fmt: skip
    told = marketing.get(page(made))
    previews = told.context_data["previews"]
    assert [(each["language"], each["label"]) for each in previews] == [("en", "Level"), ("zh-hans", "等级")]
    assert [("金卡" in each["control"], "银卡" in each["control"]) for each in previews] == [
        (False, False),
        (False, True),
    ]
    assert "choices" in told.context_data["adminform"].form.fields
    assert {"key", "type", "unit", "least"}.isdisjoint(told.context_data["adminform"].form.fields)


def test_only_companies_and_the_group_can_be_chosen(browse: Any, group: CoffeeGroup) -> None:
    form = browse("marketing").get(ADD).context_data["adminform"].form
    assert [unit.code for unit in form.fields["unit"].queryset] == ["EAST"]


def test_what_is_wrong_stands_at_its_field_in_words(browse: Any, group: CoffeeGroup) -> None:
    define(group["EAST"])
    marketing = browse("marketing")

    def errors(**values: Any) -> dict[str, Any]:
        answer = marketing.post(ADD, FORM | ROWS | {"unit": group["EAST"].pk} | values)
        return dict(answer.context_data["adminform"].form.errors)

    assert errors() == {"key": ["“level” already means something for these members. Choose another key."]}
    assert errors(key="rank", label="", label_zh="") == {
        "label": ["Say what people read: a label in English, in Chinese, or both."]
    }
    assert list(errors(key="rank", **{f"choices-{part}": [] for part in ("label", "label_zh", "value")})) == ["choices"]
    assert list(errors(key="rank", type="integer", least="2", most="1")) == ["most"]
    assert AttributeDefinition.objects.count() == 1


def test_it_is_taken_out_of_use_where_it_may_not_be_deleted(
    browse: Any,
    group: CoffeeGroup,
    in_use: list[str],  # noqa: F811
) -> None:
    made, marketing = define(group["EAST"]), browse("marketing")
    in_use.append("Gold days")
    answer = marketing.post(page(made, "delete"), {"post": "yes"}, follow=True)
    assert "These rules ask for it: “Gold days”." in answer.content.decode()
    kept = {"choices-label": ["Gold", "Tin"], "choices-label_zh": ["金卡", ""], "choices-value": ["gold", "tin"]}
    marketing.post(page(made), {"label": "Level", "label_zh": "", "description": "", "position": "3"} | kept)
    made.refresh_from_db()
    assert (made.is_active, made.position, [each.value for each in made.options]) == (False, 3, ["gold", "tin"])
    in_use.clear()
    marketing.post(page(made, "delete"), {"post": "yes"})
    assert not AttributeDefinition.objects.exists()


def test_the_history_tells_of_choices_and_limits_in_words(browse: Any, group: CoffeeGroup) -> None:
    made, marketing = define(group["EAST"], "cups", "integer", label="Cups"), browse("marketing")
    form = {"label": "Cups", "label_zh": "", "description": "", "position": "0", "least": "0.50", "is_active": "on"}
    answer = marketing.post(page(made), form | {"most": "20"})
    assert answer.status_code == 302
    (change, _created) = marketing.get(page(made, "history")).context_data["versions"]
    assert [(each.label, each.old, each.new) for each in change.changes] == [
        ("Smallest number", "", "0.5"), ("Largest number", "", "20"),
    ]  # fmt: skip
