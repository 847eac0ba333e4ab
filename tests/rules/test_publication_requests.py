"""What happens to rules passes the gate: publication by what changes, retirement, import of a document, making of codes."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, transaction

from apps.approvals.errors import EffectChanged
from apps.approvals.models import ApprovalRequest
from apps.approvals.services.deciding import decide
from apps.approvals.services.policies import create_policy, publish_policy
from apps.approvals.services.sending import plan_of, send
from apps.approvals.showing import effect_rows
from apps.conditions.words import Words
from apps.orgs.gate import ApprovalNeeded, Effect, Subject
from apps.orgs.models import Staff
from apps.orgs.services import grant_role
from apps.rules import services
from apps.rules.bringing_in import ProgramImport, import_document, import_of
from apps.rules.codes import services as codes
from apps.rules.exchange import exported, read
from apps.rules.models import CodeBatch, ProgramFile, Rule, RuleVersion
from apps.rules.publishing import publication_of
from apps.rules.retiring import Retirement
from tests.approvals.conftest import role, step
from tests.factories import Cast, CoffeeGroup, make_staff
from tests.rules.conftest import CAP_A_DAY, PER_YUAN
from tests.rules.test_reviewing import WHEN, at, say, signed_in, submit
from tests.rules.test_services import DEFINITION, DOUBLE, draft, published

LATER = WHEN + timedelta(days=7)
HALF = DEFINITION | {"effects": [PER_YUAN | {"points": "0.5"}]}


def change_is(*kinds: str) -> dict[str, Any]:
    return {"any": [{"field": "request.change", "op": "eq", "value": kind} for kind in kinds]}


TOGETHER = {
    "bands": [
        {"name": "Small", "when": change_is("minor"), "steps": [step(role("marketing_head"))]},
        {"name": "Large", "when": change_is("major", "new"), "why": "They cost money.",
         "steps": [step(role("marketing_head"), role("finance"), role("regional_manager"))]},
    ],
    "otherwise": "refused",
}  # fmt: skip
ALL = {"bands": [{"name": "All", "when": {"all": []}, "steps": [step(role("finance"))]}]}


def policy(group: CoffeeGroup, kind: str, definition: Any = ALL) -> None:
    publish_policy(None, create_policy(None, group["G"], kind, definition=definition, when=WHEN), when=WHEN)


def anew(live: RuleVersion, content: Any, actor: Staff | None = None) -> RuleVersion:
    return services.save_draft(actor, services.start_draft(actor, live, when=WHEN), content, when=WHEN)


@pytest.fixture
def together(group: CoffeeGroup, cast: Cast) -> RuleVersion:
    """A rule in force; small changes go to marketing's head, large ones to three parties at once."""
    grant_role(None, cast.regional_manager, "regional_manager", group["EAST"], when=WHEN)
    live = published(group)
    policy(group, "rules.publication", TOGETHER)
    return live


def test_a_minor_change_needs_marketings_head(together: RuleVersion, cast: Cast) -> None:
    version = anew(together, HALF, cast.marketing)
    with pytest.raises(ApprovalNeeded) as held:
        services.publish_version(cast["marketing"], version, when=WHEN)
    assert "Head of marketing (marketing_head)" in held.value.sentence()
    request = submit(cast.marketing, version)
    assert (request.band, request.facts["request.change"], request.facts["request.changes"]) == (
        "Small",
        "minor",
        ["rate"],
    )
    assert (request.facts["request.rate"], request.facts["request.rate_before"]) == ("0.5", "1")
    say(cast.marketing_head, request)
    assert RuleVersion.objects.get(pk=version.pk).state == "published"


def test_a_major_change_needs_three_parties_together_in_any_order(together: RuleVersion, cast: Cast) -> None:
    version = anew(together, DOUBLE | {"limits": []}, cast.marketing)
    request = submit(cast.marketing, version)
    assert (request.band, request.steps, request.needed) == ("Large", 1, 3)
    for person in (cast.regional_manager, cast.marketing_head):
        say(person, request)
        assert RuleVersion.objects.get(pk=version.pk).state == "draft"
    done = say(cast.finance, request)
    assert (done.state, done.told["number"]) == ("done", 2)
    version.refresh_from_db()
    assert (version.state, version.starts_at, version.published_by) == ("published", LATER, cast.marketing)
    assert RuleVersion.objects.get(number=1).ends_at == LATER


def test_one_no_of_three_is_a_no_and_the_draft_can_be_changed_again(together: RuleVersion, cast: Cast) -> None:
    version = anew(together, DOUBLE, cast.marketing)
    request = submit(cast.marketing, version)
    assert say(cast.finance, request, "rejected").state == "rejected"
    assert services.save_draft(cast.marketing, version, HALF, when=WHEN).revision == version.revision + 1


def test_a_new_rule_tells_that_it_is_new(together: RuleVersion, group: CoffeeGroup, cast: Cast) -> None:
    plan = plan_of(cast["marketing"], publication_of(draft(group, "cup", actor=cast.marketing)), WHEN)
    assert (plan.facts["request.change"], plan.facts["request.rate_before"]) == ("new", None)
    assert plan.facts["request.has_budget"] is False
    assert [len(people) for people in plan.steps[0].people] == [1, 1, 1]


def test_a_colleague_is_asked_before_the_policy_asks(together: RuleVersion, group: CoffeeGroup, cast: Cast) -> None:
    colleague = make_staff(group["EAST"], ["marketing"])
    request = submit(cast.marketing, anew(together, HALF, cast.marketing), colleague)
    assert (request.steps, request.needed) == (2, 2)
    say(colleague, request)
    say(cast.marketing_head, request)
    assert RuleVersion.objects.get(number=2).state == "published"


def test_what_came_into_force_meanwhile_is_shown(together: RuleVersion, cast: Cast) -> None:
    """The rule was retired after the draft was sent: the approver sees that it would be new."""
    request = submit(cast.marketing, anew(together, HALF, cast.marketing))
    services.retire_rule(None, together.rule, when=WHEN)
    later = WHEN + timedelta(hours=1)
    with pytest.raises(EffectChanged):
        decide(cast["marketing_head"], request.pk, "approved", seen=request.asked_seal, when=later)
    say(cast.marketing_head, request, when=later)
    assert request.decisions.get().has_changed


def test_what_clashes_in_the_end_is_refused_and_stays_open(
    together: RuleVersion, group: CoffeeGroup, cast: Cast
) -> None:
    group_of = {"stacking": {"group": "weekend", "take": "best", "order": 1}}
    request = submit(cast.marketing, anew(together, HALF | group_of, cast.marketing))
    rival = Rule.objects.create(program=group.east, unit=group["EAST"], code="rival", name="Rival", created_at=WHEN)
    RuleVersion.objects.create(
        rule=rival, number=1, state="published", definition=DEFINITION | group_of, starts_at=WHEN, created_at=WHEN,
        published_at=WHEN,
    )  # fmt: skip
    after = say(cast.marketing_head, request)
    assert (after.state, after.refusal["code"]) == ("open", "stacking_clash")
    assert not after.decisions.exists()
    assert request.read_subject().effect(cast.marketing, WHEN).obstacle.startswith("“Rival”")


def test_what_changes_reads_in_both_languages(together: RuleVersion, cast: Cast) -> None:
    request = submit(cast.marketing, anew(together, DOUBLE, cast.marketing))
    subject: Any = request.read_subject()
    rows = {row.label: row for row in effect_rows(type(subject), request.asked_effect)}
    assert rows["What changes"].sentences == (
        "Points for each ¥1: 1 → 2",
        "Added: at most 200 points a day for one member",
    )
    assert (rows["Version in force"].before, rows["Version in force"].after) == ("1", "2")
    assert rows["In force from"].sentences == ("11 May 2026, 16:00",)
    (says,) = [line for line in Effect.from_json(request.asked_on).lines if line.code == "says"]
    assert subject.say(says, "zh-hans")[0] == "每 ¥1 的积分：1 → 2"
    assert subject.title() == Words("Publish version 2 of “Point per yuan”", "发布“Point per yuan”第 2 版")


def test_an_effect_takes_a_constant_number_of_queries(
    group: CoffeeGroup, cast: Cast, django_assert_max_num_queries: Any
) -> None:
    first = publication_of(draft(group, actor=cast.marketing))
    with django_assert_max_num_queries(20) as one:
        first.effect(cast.marketing, WHEN)
    for number in range(5):
        published(group, code=f"other{number}")
    with django_assert_max_num_queries(len(one)):
        first.effect(cast.marketing, WHEN)


def test_the_page_shows_who_must_say_yes_before_anything_is_sent(together: RuleVersion, cast: Cast) -> None:
    version = anew(together, DOUBLE, cast.marketing)
    client = signed_in(cast.marketing)
    page = client.get(at("change", together.rule_id)).content.decode()
    for said in (
        "Who must say yes, in this order",
        "marketing_head",
        "regional_manager",
        "They cost money.",
        ">Send</button>",
    ):
        assert said in page
    said = client.post(at("publish", together.rule_id), {"start": "now", "revision": version.revision}, follow=True)
    assert "Give a reason: those who decide read it." in said.content.decode()
    client.post(at("publish", together.rule_id), {"start": "now", "revision": version.revision, "reason": "Spring"})
    request = ApprovalRequest.objects.get(state="open")
    page = client.get(at("change", together.rule_id)).content.decode()
    assert "marketing_head, finance, regional_manager can decide now." in page
    assert f"Publication #{request.pk}" in page
    client.cookies["django_language"] = "zh-hans"
    page = client.get(at("change", together.rule_id)).content.decode()
    assert "现可由 marketing_head, finance, regional_manager 审批。" in page


# Retirement.


def test_a_retirement_is_held_sent_and_done_once(group: CoffeeGroup, cast: Cast) -> None:
    live = published(group)
    policy(group, "rules.retirement")
    with pytest.raises(ApprovalNeeded):
        services.retire_rule(cast["marketing"], live.rule, when=WHEN)
    client = signed_in(cast.marketing)
    assert (
        "Finance (finance) must say yes first: a request is sent."
        in client.get(at("change", live.rule_id)).content.decode()
    )
    client.post(at("retire", live.rule_id), {"start": "now", "reason": "Too dear"})
    request = ApprovalRequest.objects.get(state="open")
    assert request.title["zh"] == "停用“Point per yuan”"
    after = LATER
    assert say(cast.finance, request, when=after).state == "done"
    live.refresh_from_db()
    assert (live.state, live.ends_at) == ("retired", after + timedelta(seconds=2))
    again = send(cast["marketing"], published_again(live, after), reason="Again", key="again", when=after)
    RuleVersion.objects.filter(state="published").update(state="retired", ends_at=after + timedelta(minutes=1))
    gone = decide(cast["finance"], again.pk, "approved", seen="x", when=after + timedelta(hours=1))
    assert (gone.state, gone.refusal["code"]) == ("closed", "subject_gone")


def published_again(live: RuleVersion, when: Any) -> Subject:
    services.publish_version(None, services.start_draft(None, live, when=when), when=when)
    return Retirement(rule=live.rule_id, at=when + timedelta(days=3))


# A document.


@pytest.fixture
def document(group: CoffeeGroup) -> Any:
    """East's document with one rule changed and one new; its live rule is drafted anew by it."""
    published(group)
    written = json.loads(json.dumps(exported(None, group.east, WHEN)))
    written["rules"][0]["draft"] = DOUBLE
    written["rules"].append(
        {"code": "cup", "name": "Cup", "unit": "EAST", "published": [], "draft": DEFINITION | {"limits": [CAP_A_DAY | {"most": 5}]}}
    )  # fmt: skip
    policy(group, "rules.import")
    return read(json.dumps(written).encode())


def test_an_import_is_held_and_what_was_checked_is_what_is_brought_in(
    group: CoffeeGroup, cast: Cast, document: Any
) -> None:
    with pytest.raises(ApprovalNeeded), transaction.atomic():
        import_document(cast["marketing"], group.east, document, when=WHEN)
    assert not ProgramFile.objects.exists()
    subject = import_of(cast["marketing"], group.east, document, WHEN)
    request = send(cast["marketing"], subject, reason="Spring", key="spring", when=WHEN)
    assert (request.facts["request.rules_added"], request.facts["request.rules_changed"]) == (1, 1)
    (steps,) = [line for line in request.asked_effect.lines if line.code == "steps"]
    assert ProgramImport.say(steps, "en") == ["Drafted: a change of “Point per yuan”", "Drafted: new rule “Cup”"]
    anew(RuleVersion.objects.get(), HALF, cast.marketing)
    with pytest.raises(EffectChanged):
        decide(cast["finance"], request.pk, "approved", seen=request.asked_seal, when=WHEN)
    done = say(cast.finance, request)
    assert (done.state, done.told) == ("done", {"changes": 2})
    drafts = (
        RuleVersion.objects.filter(state="draft")
        .order_by("rule__code")
        .values_list("rule__code", "definition__effects")
    )
    assert [(code, effects[0]["points"]) for code, effects in drafts] == [("cup", "1"), ("yuan", "2")]
    with pytest.raises(DatabaseError), transaction.atomic():
        ProgramFile.objects.update(digest="x")


def test_the_command_says_what_holds_it_and_sends_in_somebodys_name(
    group: CoffeeGroup, cast: Cast, document: Any, tmp_path: Path
) -> None:
    file = tmp_path / "east.json"
    file.write_text(document.model_dump_json())
    with pytest.raises(CommandError, match=r"needs approval first: Finance \(finance\)") as held:
        call_command("import_program", str(file))
    assert held.value.returncode == 2
    out = StringIO()
    call_command("import_program", str(file), "--as", "marketing", stdout=out)
    request = ApprovalRequest.objects.get()
    assert out.getvalue() == f"Sent as request {request.pk}; it waits for finance.\n"
    assert (request.requester, request.state) == (cast.marketing, "open")
    with pytest.raises(CommandError, match="Nobody signs in as nobody"):
        call_command("import_program", str(file), "--as", "nobody")


def test_the_page_compares_says_who_must_say_yes_and_sends(group: CoffeeGroup, cast: Cast, document: Any) -> None:
    client = signed_in(cast.marketing)
    file = SimpleUploadedFile("east.json", document.model_dump_json().encode())
    page = client.post(at("program_compare"), {"program": group.east.pk, "file": file})
    assert "Finance (finance) must say yes first: a request is sent." in page.content.decode()
    assert not ProgramFile.objects.exists()
    context: Any = page.context
    sent = {
        "program": group.east.pk, "digest": context["plan"].digest, "document": context["document"], "reason": "Spring",
    }  # fmt: skip
    assert "finance can decide now." in client.post(at("program_import"), sent, follow=True).content.decode()
    assert ApprovalRequest.objects.get().state == "open"
    stale = client.post(at("program_import"), sent | {"digest": "old"}, follow=True).content.decode()
    assert ApprovalRequest.objects.count() == 1, stale


# Codes.


def test_codes_are_made_when_others_have_said_yes_to_the_batch_as_it_was(group: CoffeeGroup, cast: Cast) -> None:
    batch = codes.create_batch(
        cast["marketing"], group.east, group["EAST"], code="spring", name="Spring", size=200, uses=2, when=WHEN,
        prizes=[{"name": "Cup", "wins": 1, "out_of": 10}],
    )  # fmt: skip
    policy(group, "rules.codes")
    with pytest.raises(ApprovalNeeded):
        codes.start_making(cast["marketing"], batch, when=WHEN)
    client = signed_in(cast.marketing)
    page = client.get(f"/rules/codebatch/{batch.pk}/change/").content.decode()
    assert "Finance (finance) must say yes first: a request is sent." in page
    client.post(f"/rules/codebatch/{batch.pk}/make/", {"reason": "For spring"})
    request = ApprovalRequest.objects.get()
    assert (request.facts["request.codes"], request.facts["request.uses"], request.amount) == (200, 400, 200)
    subject: Any = request.read_subject()
    (prizes,) = [line for line in request.asked_effect.lines if line.code == "prizes"]
    assert [subject.say(prizes, language) for language in ("en", "zh-hans")] == [
        ["Cup: 1 of 10 win"], ["Cup：每 10 次中 1 次"],
    ]  # fmt: skip
    assert say(cast.finance, request).state == "done"
    assert CodeBatch.objects.get().state == "making"


def test_codes_of_a_batch_that_was_changed_are_asked_for_again(group: CoffeeGroup, cast: Cast) -> None:
    batch = codes.create_batch(
        cast["marketing"], group.east, group["EAST"], code="spring", name="Spring", size=200, when=WHEN
    )
    policy(group, "rules.codes")
    request = send(cast["marketing"], codes.making_of(batch), reason="Spring", key="spring", when=WHEN)
    codes.change_batch(cast["marketing"], batch, size=2000)
    closed = decide(cast["finance"], request.pk, "approved", seen=request.asked_seal, when=WHEN)
    assert (closed.state, CodeBatch.objects.get().state) == ("closed", "draft")
