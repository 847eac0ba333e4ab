"""Every door leads through the gate: what somebody does by hand to points, rules or rights can be held by a policy.

Verbs are found in the source: public functions of the rooms, outside entry points, that take an `actor` and write,
themselves or through what they call. Each calls `pass_gate` before it locks or writes, or stands in `FREE` with the
reason why no policy may hold it.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from apps.orgs.gate import ApprovalNeeded, Subject, kinds
from tests.approvals.conftest import Desk, role, step
from tests.security.gate_builders import BUILDERS
from tests.security.gate_table import FREE, TO_COME

ROOT = Path(settings.BASE_DIR)
ENTRY_POINTS = ("admin", "api", "tasks", "management", "views", "migrations")
WRITES = {
    "save", "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "add_child",
    "add_root", "copy_from",
}  # fmt: skip
ROWS = ("objects", "history", "rows", "self.", "_default_manager", "through")
LOCKS = {"select_for_update"}
SQL = ("insert into", "update ", "delete from", "for update", "for no key update", "copy ", "pg_advisory")


@dataclass
class Function:
    """A function of the rooms, as its source says."""

    name: str
    node: ast.FunctionDef
    module: "Module"

    @property
    def parameters(self) -> list[str]:
        arguments = self.node.args
        return [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]

    @property
    def is_verb(self) -> bool:
        return "actor" in self.parameters and not self.node.name.startswith("_")

    @cached_property
    def calls(self) -> list[tuple[int, ast.Call]]:
        """In the order in which they stand; what is called within a call stands before it."""
        found = [(node.end_lineno or node.lineno, node) for node in ast.walk(self.node) if isinstance(node, ast.Call)]
        return sorted(found, key=lambda pair: (pair[1].lineno, pair[1].col_offset))

    def touches(self, call: ast.Call) -> bool:
        """Whether the call itself writes or locks rows."""
        if isinstance(call.func, ast.Attribute):
            if call.func.attr in LOCKS:
                return True
            if call.func.attr in WRITES:
                # A dictionary and a hash take a positional argument where a queryset takes keywords.
                return not (call.func.attr == "update" and call.args)
            if call.func.attr in ("execute", "executemany", "copy"):
                return any(word in ast.unparse(self.node).lower() + self.module.constants for word in SQL)
        return isinstance(call.func, ast.Name) and call.func.id in ("assign_perm", "remove_perm")


@dataclass
class Module:
    name: str
    tree: ast.Module
    constants: str = ""
    functions: dict[str, Function] = field(default_factory=dict)
    imported: dict[str, str] = field(default_factory=dict)
    """What a name leads to: `apps.orgs.services.granting.grant_role`, or a module."""


class Source:
    """The rooms, read once."""

    def __init__(self, root: Path) -> None:
        self.modules = {module.name: module for module in self._read(root)}
        self._known: dict[str, bool] = {}

    def _read(self, root: Path) -> Iterator[Module]:
        for path in sorted((root / "apps").glob("*/**/*.py")):
            parts = path.relative_to(root / "apps").with_suffix("").parts
            if any(part in ENTRY_POINTS for part in parts[1:2]) or "migrations" in parts:
                continue
            name = ".".join(parts).removesuffix(".__init__")
            module = Module(name, ast.parse(path.read_text(encoding="utf-8")))
            for node in ast.walk(module.tree):
                if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("apps."):
                    base = node.module.removeprefix("apps.")
                    module.imported |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names}
            for node in module.tree.body:
                if isinstance(node, ast.FunctionDef):
                    module.functions[node.name] = Function(f"{name}:{node.name}", node, module)
                elif isinstance(node, ast.Assign):
                    module.constants += ast.unparse(node).lower()
            yield module

    def functions(self) -> Iterator[Function]:
        for module in self.modules.values():
            yield from module.functions.values()

    def called(self, function: Function, call: ast.Call) -> Function | None:
        """The function of the rooms that a call leads to."""
        match call.func:
            case ast.Name(id=name):
                own = function.module.functions.get(name)
                return own or self._at(function.module.imported.get(name, ""))
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                return self._at(f"{function.module.imported.get(owner, '?')}.{name}")
        return None

    def _at(self, path: str) -> Function | None:
        for _ in range(4):  # a package hands on what its modules hold
            module, _dot, name = path.rpartition(".")
            known = self.modules.get(module)
            if known is None:
                return None
            if name in known.functions:
                return known.functions[name]
            path = known.imported.get(name, "")
        return None

    def passes(self, function: Function, call: ast.Call) -> bool:
        """Whether the call is the gate, or a private function of the module that begins with it."""
        called = self.called(function, call)
        if called is None:
            return False
        if called.name == "orgs.gate:pass_gate":
            return True
        return called.node.name.startswith("_") and any(
            self.passes(called, each) for _, each in called.calls if called is not function
        )

    def first_passage(self, function: Function) -> int | None:
        lines = [line for line, call in function.calls if self.passes(function, call)]
        return min(lines) if lines else None

    def acts(self, function: Function, trail: tuple[str, ...] = ()) -> bool:
        """Whether the function writes or locks without having passed the gate."""
        if function.name in self._known:
            return self._known[function.name]
        if function.name in trail:
            return False
        passage = self.first_passage(function)
        found = any(
            self.acts_through(function, call, (*trail, function.name))
            for line, call in function.calls
            if passage is None or line < passage
        )
        if not trail:
            self._known[function.name] = found
        return found

    def acts_through(self, function: Function, call: ast.Call, trail: tuple[str, ...]) -> bool:
        if function.touches(call):
            return True
        called = self.called(function, call)
        return called is not None and called.name != "orgs.gate:pass_gate" and self.acts(called, trail)

    def ungated(self) -> set[str]:
        """The verbs that act without having passed the gate."""
        return {each.name for each in self.functions() if each.is_verb and self.acts(each)}


@pytest.fixture(scope="module")
def source() -> Source:
    return Source(ROOT)


def test_verbs_are_found(source: Source) -> None:
    verbs = {each.name for each in source.functions() if each.is_verb}
    assert {
        "points.services.adjusting:adjust", "orgs.services.granting:grant_role", "members.services.looking:reveal",
        "rules.publishing:publish_version", "rules.holding:decide_held", "rules.importing:cancel",
    } <= verbs  # fmt: skip
    assert len(verbs) > 60


def test_every_verb_passes_the_gate_or_says_why_it_is_free(source: Source) -> None:
    found = source.ungated()
    assert found - FREE.keys() - TO_COME.keys() == set(), "verbs that a policy cannot hold: call pass_gate, or say why"
    assert (FREE.keys() | TO_COME.keys()) - found == set(), "the table names what is gone, or what passes the gate now"
    assert not FREE.keys() & TO_COME.keys()


def test_every_reason_is_a_sentence() -> None:
    assert [name for name, why in FREE.items() if not (why.strip().endswith(".") and len(why.split()) >= 5)] == []


WRONG = """
from apps.core.transactions import in_transaction
from apps.orgs.gate import pass_gate
from apps.points.models import Account


def spend(actor, member):
    pass_gate(member, actor, None, None)
    _take(member)


def walk_round(actor, member):
    _take(member)


def lock_first(actor, member):
    Account.objects.select_for_update().get(pk=member)
    pass_gate(member, actor, None, None)


def only_read(actor, member):
    return Account.objects.get(pk=member)


def by_sql(actor, cursor):
    cursor.execute("UPDATE points_account SET balance = 1")


def _take(member):
    Account.objects.create(member=member)
"""


def test_a_verb_that_walks_round_the_gate_or_locks_before_it_is_found(tmp_path: Path) -> None:
    """The mistakes that this test must catch."""
    for name, text in (("gate", "def pass_gate(subject, actor, approval, when): ..."), ("wrong", WRONG)):
        (tmp_path / "apps" / "orgs").mkdir(parents=True, exist_ok=True)
        (tmp_path / "apps" / "orgs" / f"{name}.py").write_text(text)
    assert Source(tmp_path).ungated() == {f"orgs.wrong:{name}" for name in ("walk_round", "lock_first", "by_sql")}


# What a policy holds stays undone.

ASKS = {"bands": [{"name": "all", "when": {"all": []}, "steps": [step(role("vice_president"))]}]}


def own_kinds() -> dict[str, type[Subject]]:
    return {code: kind for code, kind in kinds().items() if kind.__module__.startswith("apps.")}


def test_every_kind_has_a_builder() -> None:
    assert own_kinds().keys() == BUILDERS.keys()


def content() -> dict[str, Any]:
    """A digest of every table of ours."""
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name.split("_")[0] in ROOMS]
        asked = " UNION ALL ".join(
            f"SELECT '{name}', md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {name} t"
            for name in (*tables, "guardian_userobjectpermission")
        )
        cursor.execute(asked)
        return dict(cursor.fetchall())


ROOMS = {path.name for path in (ROOT / "apps").iterdir() if path.is_dir()}


@pytest.mark.django_db
@pytest.mark.parametrize("code", sorted(BUILDERS))
def test_what_a_policy_holds_is_refused_at_the_verb_and_changes_nothing(desk: Desk, code: str) -> None:
    subject, verb = BUILDERS[code](desk)
    assert isinstance(subject, own_kinds()[code])
    desk.policy(ASKS, "G", code)
    before = content()
    with pytest.raises(ApprovalNeeded):
        verb()
    assert content() == before


@pytest.mark.django_db
@pytest.mark.parametrize("code", sorted(BUILDERS))
def test_without_a_policy_the_same_verb_goes_through(desk: Desk, code: str) -> None:
    """Else the refusal above might be another's."""
    _, verb = BUILDERS[code](desk)
    before = content()
    verb()
    assert content() != before
