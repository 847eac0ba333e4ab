"""A whole programme as one document: out, compared, and in again as drafts."""

import json
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.conf import settings as studio
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.clock import now
from apps.core.errors import ChangedMeanwhile, NotAllowed
from apps.points.models import PointType
from apps.rules import services
from apps.rules.bringing_in import import_document
from apps.rules.document import FORMAT, MOST_BYTES
from apps.rules.errors import DocumentFaulty
from apps.rules.exchange import Plan, compared, exported, read
from apps.rules.gallery import TEMPLATES
from apps.rules.models import Rule, RuleVersion
from apps.rules.schema import ADDRESS, program_schema
from tests.factories import Cast, CoffeeGroup, make_group
from tests.rules.conftest import CAP_A_DAY, PER_YUAN, PURCHASE, publish
from tests.rules.test_gallery import TODAY, UNITS

DEFINITION: dict[str, Any] = {"condition": PURCHASE, "effects": [PER_YUAN], "limits": []}
FAR = {"condition": {"all": [{"field": "event.store", "op": "within", "value": ["S101"]}]}, "effects": [PER_YUAN]}


def draft(group: CoffeeGroup, code: str, definition: Any = DEFINITION) -> RuleVersion:
    name = code.capitalize()
    return services.create_rule(
        None, group.east, group["EAST"], code=code, name=name, definition=definition, when=now()
    )  # fmt: skip


@pytest.fixture
def written(group: CoffeeGroup) -> dict[str, Any]:
    """East's document: `yuan` in force and drafted anew, `cup` a draft alone, and one that is over."""
    live = draft(group, "yuan")
    services.publish_version(None, live, when=now())
    anew = services.start_draft(None, live, when=now())
    services.save_draft(None, anew, DEFINITION | {"limits": [CAP_A_DAY | {"most": 50}]}, when=now())
    draft(group, "cup")
    publish(group, ends_at=datetime(2021, 1, 1, tzinfo=UTC))
    return json.loads(json.dumps(exported(None, group.east, now())))  # type: ignore[no-any-return]


def plan_of(group: CoffeeGroup, document: Any, actor: Any = None) -> Plan:
    return compared(actor, group.east, _read(document), language="en", when=now())


def bring_in(group: CoffeeGroup, document: Any, actor: Any = None, **more: Any) -> Plan:
    return import_document(actor, group.east, _read(document), when=now(), **more)


def _read(document: Any) -> Any:
    return read(document if isinstance(document, bytes) else json.dumps(document).encode())


def everything() -> list[Any]:
    versions = RuleVersion.objects.order_by("pk").values_list("pk", "state", "definition", "revision", "ends_at")
    return [*Rule.objects.order_by("pk").values(), *versions, *PointType.objects.order_by("pk").values()]


def test_a_document_names_codes_and_nobody_and_says_the_same_twice(group: CoffeeGroup, written: dict[str, Any]) -> None:
    assert [rule["code"] for rule in written["rules"]] == ["cup", "yuan"]
    assert [len(rule["published"]) for rule in written["rules"]] == [0, 1]
    assert written["rules"][1]["draft"]["limits"] == [CAP_A_DAY | {"most": 50}]
    assert list(written["rules"][0]["draft"]) == ["condition", "effects", "limits"]
    assert json.dumps(exported(None, group.east, now())) == json.dumps(written)
    assert '"id"' not in json.dumps(written)
    assert plan_of(group, written).changes == 0
    assert jsonschema_rs.validator_for(program_schema()).is_valid(written)


def test_what_a_file_changes_is_told_in_words_and_becomes_drafts_alone(
    group: CoffeeGroup, written: dict[str, Any]
) -> None:
    before = [row for row in everything() if "published" in row or "retired" in row]
    cup, yuan = written["rules"]
    cup["draft"]["effects"][0]["points"] = "2"
    yuan["draft"] = None
    written["rules"].append(deepcopy(cup) | {"code": "new", "name": "New one", "unit": "S001"})
    written["point_types"].append(written["point_types"][0] | {"code": "stars", "name": "Stars", "kind": "status"})
    written["point_types"][0]["pending_days"] = 7
    written["rules"][2]["draft"]["effects"][0]["point_type"] = "stars"
    plan = plan_of(group, written)
    assert [(step.verb, step.code, step.replaces_draft) for step in plan.rules] == [
        ("changed", "cup", True), ("changed", "yuan", True), ("added", "new", False),
    ]  # fmt: skip
    assert plan.rules[0].lines == ("Points for each ¥1: 1 → 2",)
    assert plan.rules[1].lines == ("Removed: at most 50 points a day for one member",)
    assert "2 points of “Stars”" in plan.rules[2].lines[0]
    assert "Points — Pending days: 0 here, 7 in the file. It stays as it is." in plan.stays
    bring_in(group, written, digest=plan.digest)
    drafts = RuleVersion.objects.filter(state="draft").order_by("rule__code")
    assert [(each.rule.code, each.rule.unit.code, each.number) for each in drafts] == [
        ("cup", "EAST", 1), ("new", "S001", 1), ("yuan", "EAST", 2),
    ]  # fmt: skip
    assert drafts[0].definition["effects"][0]["points"] == "2"
    assert [row for row in everything() if "published" in row or "retired" in row] == before
    assert plan_of(group, written).changes == 0
    assert bring_in(group, written).changes == 0


def test_every_template_comes_back_as_it_left(group: CoffeeGroup) -> None:
    for code, template in TEMPLATES.items():
        draft(group, code, template.filled("points", UNITS, TODAY))
    written = exported(None, group.east, now())
    RuleVersion.objects.all().delete()
    Rule.objects.all().delete()
    assert bring_in(group, json.loads(json.dumps(written))).changes == len(TEMPLATES)
    assert exported(None, group.east, now()) == written


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\0") | st.just("S101"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["all", "field", "op", "x"]), inner),
    max_leaves=4,
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_whatever_a_file_says_it_is_refused_as_a_whole_or_brought_in(
    group: CoffeeGroup, written: dict[str, Any], data: st.DataObject
) -> None:
    """S9 of the promises: one part of a good file is replaced by anything, or left out."""
    document = deepcopy(written)
    place: Any = document
    while True:
        name = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else list(range(len(place)))))
        inner = place[name]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        place = inner
    if data.draw(st.booleans()):
        del place[name]
    else:
        place[name] = data.draw(JUNK)
    before = everything()
    sid = transaction.savepoint()
    faults: list[Any] | None = None
    try:
        bring_in(group, json.dumps(document).encode())
    except DocumentFaulty as refusal:
        faults = refusal.lines()
    if faults is not None:
        assert all(said for _path, said in faults)
        assert faults
        assert everything() == before
    transaction.savepoint_rollback(sid)


def test_what_a_file_leaves_out_stays_and_what_is_over_is_drafted_anew(
    group: CoffeeGroup, written: dict[str, Any]
) -> None:
    over = Rule.objects.exclude(code__in=["cup", "yuan"]).get()
    entry = written["rules"][0] | {"code": over.code, "name": over.name}
    plan = bring_in(group, written | {"rules": [entry]})
    assert [(step.verb, step.code) for step in plan.rules] == [
        ("changed", over.code), ("missing", "cup"), ("missing", "yuan"),
    ]  # fmt: skip
    assert RuleVersion.objects.get(rule=over, state="draft").number == 2
    assert RuleVersion.objects.filter(rule__code="yuan", state="published", ends_at=None).exists()


def test_every_fault_is_told_at_once_with_its_path_and_nothing_is_written(
    group: CoffeeGroup, written: dict[str, Any]
) -> None:
    cup, yuan = written["rules"]
    cup["draft"] = FAR
    yuan["unit"] = "WEST"
    yuan["published"][0]["definition"]["effects"][0] |= {"points": "-1", "point_type": "none"}
    good = deepcopy(written["rules"][0]) | {"code": "good", "draft": DEFINITION}
    before = everything()
    with pytest.raises(DocumentFaulty) as refused:
        bring_in(group, written | {"rules": [good, cup, yuan]})
    assert [path for path, _said in refused.value.lines()] == [
        "rules/1/draft/condition/all/0/value",
        "rules/2/unit",
        "rules/2/published/0/definition/effects/0/point_type",
        "rules/2/published/0/definition/effects/0/points",
    ]
    assert everything() == before
    assert "Old Town" not in str(refused.value.lines())


HOSTILE: list[bytes] = [
    b"", b"\xff\xfe", b"[" * 100_000, b"null", b"[]", b"{}", b'{"format": NaN}', b"9" * 5000,
    b" " * (MOST_BYTES + 1), json.dumps({"format": FORMAT}).encode(),
    json.dumps({"format": FORMAT, "program": 1, "point_types": {}, "rules": "x"}).encode(),
]  # fmt: skip


@pytest.mark.parametrize("file", HOSTILE, ids=lambda file: repr(file[:12]))
def test_what_is_no_document_is_refused_in_words(group: CoffeeGroup, file: bytes) -> None:
    with pytest.raises(DocumentFaulty) as refused:
        read(file)
    assert all(said for _path, said in refused.value.lines())


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"code": "a b"}, "rules/0/code"),
        ({"name": "nul\0"}, "rules/0/name"),
        ({"name": "\ud800"}, "rules/0/name"),
        ({"name": ""}, "rules/0/name"),
        ({"draft": None}, "rules/0"),
        ({"draft": [1]}, "rules/0/draft"),
        ({"draft": {"condition": {"all": []}, "effects": []}}, "rules/0/draft/effects"),
        ({"published": [{"starts_at": "soon", "ends_at": None, "definition": {}}]}, "rules/0/published/0/starts_at"),
        ({"id": 7}, "rules/0/id"),
        ({"code": "yuan"}, "rules/1/code"),
    ],
)
def test_a_wrong_part_is_refused_at_its_path(
    group: CoffeeGroup, written: dict[str, Any], change: dict[str, Any], path: str
) -> None:
    written["rules"][0] |= change
    with pytest.raises(DocumentFaulty) as refused:
        bring_in(group, written)
    assert path in [place for place, _said in refused.value.lines()]


def test_who_may_draft_rules_but_add_no_kinds_of_points_is_told_so(
    group: CoffeeGroup, cast: Cast, written: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    written["point_types"].append(written["point_types"][0] | {"code": "stars", "name": "Stars"})
    monkeypatch.setattr("apps.rules.exchange.ADD_KIND", "points.no_such_right")
    with pytest.raises(DocumentFaulty) as refused:
        bring_in(group, written, cast.marketing)
    assert [path for path, _said in refused.value.lines()] == ["point_types/1"]
    monkeypatch.undo()
    assert bring_in(group, written, cast.marketing).changes == 1
    for persona in ("finance", "outsider"):
        with pytest.raises(NotAllowed):
            bring_in(group, written, cast[persona])
    with pytest.raises(NotAllowed):
        exported(cast.outsider, group.east, now())


def test_a_programme_that_changed_since_it_was_compared_is_not_written(
    group: CoffeeGroup, written: dict[str, Any]
) -> None:
    written["rules"][0]["draft"]["limits"] = [CAP_A_DAY | {"most": 9}]
    digest = plan_of(group, written).digest
    services.save_draft(
        None, RuleVersion.objects.get(rule__code="cup"), DEFINITION | {"limits": [CAP_A_DAY | {"most": 8}]}, when=now()
    )  # fmt: skip
    before = everything()
    with pytest.raises(ChangedMeanwhile):
        bring_in(group, written, digest=digest)
    assert everything() == before


@pytest.mark.faults
def test_a_file_that_several_bring_in_at_once_is_drafted_once(committed: str) -> None:
    group = make_group()
    draft(group, "cup")
    written = json.loads(json.dumps(exported(None, group.east, now())))
    written["rules"].append(deepcopy(written["rules"][0]) | {"code": "new"})
    written["rules"][0]["draft"]["effects"][0]["points"] = "2"

    def bring(number: int) -> int:
        try:
            return bring_in(group, written).changes
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(bring, range(4))) == [0, 0, 0, 2]
    assert list(RuleVersion.objects.order_by("rule__code").values_list("rule__code", "number", "revision")) == [
        ("cup", 1, 2), ("new", 1, 1),
    ]  # fmt: skip


def test_what_is_refused_half_way_is_undone(
    group: CoffeeGroup, written: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **more: Any) -> None:
        raise NotAllowed()

    written["rules"].insert(0, deepcopy(written["rules"][0]) | {"code": "new"})
    written["rules"][1]["draft"]["effects"][0]["points"] = "2"
    before = everything()
    monkeypatch.setattr(services, "save_draft", refuse)
    with pytest.raises(NotAllowed):
        bring_in(group, written)
    assert everything() == before


def page(name: str) -> str:
    return reverse(f"admin:rules_rule_{name}")


def test_the_pages_export_compare_and_bring_in(
    client: Client, group: CoffeeGroup, cast: Cast, written: dict[str, Any]
) -> None:
    client.force_login(cast.marketing, backend="apps.orgs.auth.RoleBackend")
    assert client.get(page("program")).status_code == 200
    answer = client.get(page("program_export"), {"program": group.east.pk})
    assert json.loads(answer.content) == written
    written["rules"][0]["draft"]["limits"] = [CAP_A_DAY | {"most": 9}]
    asked = {"program": group.east.pk, "file": SimpleUploadedFile("east.json", json.dumps(written).encode())}
    shown = client.post(page("program_compare"), asked)
    assert "Added: at most 9 points a day for one member" in shown.content.decode()
    sent = {"program": group.east.pk, "document": shown.context["document"], "digest": shown.context["plan"].digest}
    assert client.post(page("program_import"), sent, follow=True).status_code == 200
    assert RuleVersion.objects.get(rule__code="cup").definition["limits"] == [CAP_A_DAY | {"most": 9}]
    again = client.post(page("program_import"), sent, follow=True)
    assert "Somebody changed this since you opened it" in again.content.decode()
    faulty = client.post(page("program_compare"), asked | {"file": SimpleUploadedFile("x.json", b"{}")})
    assert "Expected “loyalty-studio/program/1”." in faulty.content.decode()
    assert "Choose a file." in client.post(page("program_compare"), {"program": group.east.pk}).content.decode()
    for name in ("program_compare", "program_import"):
        assert client.post(page(name), sent | {"program": group.west.pk}).status_code == 404
    assert client.get(page("program_export"), {"program": group.west.pk}).status_code == 404


def test_who_sees_only_part_of_a_programme_does_not_export_it(
    client: Client, group: CoffeeGroup, cast: Cast, written: dict[str, Any]
) -> None:
    client.force_login(cast.regional_manager, backend="apps.orgs.auth.RoleBackend")
    assert "no programme whose rules you may all see" in client.get(page("program")).content.decode()
    assert client.get(page("program_export"), {"program": group.east.pk}).status_code == 404


def test_the_commands_write_compare_and_refuse(group: CoffeeGroup, written: dict[str, Any], tmp_path: Path) -> None:
    out = StringIO()
    call_command("export_program", "east", stdout=out)
    assert json.loads(out.getvalue()) == written
    file = tmp_path / "east.json"
    written["rules"][0]["draft"]["limits"] = [CAP_A_DAY | {"most": 9}]
    file.write_text(json.dumps(written))
    told = StringIO()
    call_command("import_program", str(file), "--dry-run", stdout=told)
    assert "changed: rule cup (Cup)\n    Added: at most 9 points a day for one member" in told.getvalue()
    assert RuleVersion.objects.get(rule__code="cup").definition["limits"] == []
    told = StringIO()
    call_command("import_program", str(file), "--json", stdout=told)
    assert json.loads(told.getvalue())["changes"] == 1
    assert RuleVersion.objects.get(rule__code="cup").definition["limits"] == [CAP_A_DAY | {"most": 9}]
    file.write_text("{}")
    for command in (["import_program", str(file)], ["export_program", "none"], ["import_program", "/no/such/file"]):
        with pytest.raises(CommandError) as ended:
            call_command(*command, stdout=StringIO(), stderr=StringIO())
        assert ended.value.returncode == 2


def test_the_schema_is_published_and_its_file_is_current(client: Client) -> None:
    """`manage.py export_program --schema > docs/program.schema.json` writes it anew."""
    file = Path(studio.BASE_DIR) / "docs" / "program.schema.json"
    assert json.loads(file.read_text(encoding="utf-8")) == program_schema()
    assert client.get(ADDRESS).json() == program_schema()


def test_the_schema_takes_every_template_and_refuses_what_the_studio_refuses() -> None:
    schema = program_schema() | {"$ref": "#/$defs/Definition"}
    for name in ("properties", "required", "additionalProperties", "type"):
        schema.pop(name, None)
    validator = jsonschema_rs.validator_for(schema)
    for template in TEMPLATES.values():
        assert validator.is_valid(template.filled("points", UNITS, TODAY)), template.code
    wrong: list[Any] = [
        {}, DEFINITION | {"more": 1}, DEFINITION | {"effects": []}, DEFINITION | {"condition": {"any": []}},
        DEFINITION | {"condition": {"field": "event.nothing", "op": "eq", "value": "1"}},
        DEFINITION | {"condition": {"field": "event.hour", "op": "eq", "value": 24}},
        DEFINITION | {"condition": {"field": "event.kind", "op": "contains", "value": "purchase"}},
        DEFINITION | {"effects": [PER_YUAN | {"effect": "none"}]},
        DEFINITION | {"effects": [PER_YUAN | {"lines": {"field": "event.hour", "op": "eq", "value": 1}}]},
    ]  # fmt: skip
    assert [validator.is_valid(each) for each in wrong] == [False] * len(wrong)
