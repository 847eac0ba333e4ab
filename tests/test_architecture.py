"""The rooms and their order: apps import downwards only, entry points write nothing, pure modules ask nothing."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ORDER = (
    "core", "conditions", "orgs", "approvals", "members", "activity", "points", "segments", "tiers", "rewards",
    "experiments", "rules", "forms", "engagement", "reports", "portal",
)  # fmt: skip
"""The rooms, lowest first; a room imports from rooms before it."""

ENTRY_POINTS = ("admin", "api", "tasks", "management", "views")
PURE = (
    "conditions/", "core/clock.py", "core/errors.py", "orgs/words.py", "points/book.py",
    "points/expiry.py", "rules/evaluate.py", "rules/definition.py",
    "rules/sentences.py", "rules/comparing.py", "rules/codes/drawing.py", "rules/codes/spelling.py",
)  # fmt: skip
"""Modules and folders that hold no query, no settings and no clock; those of them that exist are held to it."""

WRITES = {
    "save", "delete", "create", "update", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "add_child",
    "add_root",
}  # fmt: skip
CLOCKS = {("timezone", "now"), ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
          ("time", "time")}  # fmt: skip


def sources(room: str = "*") -> list[Path]:
    found = [path for path in (ROOT / "apps").glob(f"{room}/**/*.py") if "migrations" not in path.parts]
    return sorted(found)


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT / "apps"))


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "apps").parts[0]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every module that `path` imports, wherever the import stands."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def faults_of_imports(paths: list[Path]) -> list[str]:
    """Imports that run upwards, or into `config`."""
    found = []
    for path in paths:
        here = ORDER.index(room_of(path))
        for line, module in imports(path):
            parts = module.split(".")
            runs_up = parts[0] == "apps" and len(parts) > 1 and ORDER.index(parts[1]) > here
            if runs_up or parts[0] == "config":
                found.append(f"{path.name}:{line} {module}")
    return found


def test_every_app_is_a_room() -> None:
    rooms = {path.parent.name for path in (ROOT / "apps").glob("*/apps.py")}
    assert rooms <= set(ORDER)
    assert len(rooms) > 5
    installed = {config.label for config in apps.get_app_configs() if config.name.startswith("apps.")}
    assert installed == rooms


def test_imports_run_downwards() -> None:
    paths = [path for path in sources() if len(path.relative_to(ROOT / "apps").parts) > 1]
    assert len(paths) > 40
    assert faults_of_imports(paths) == []


def test_an_import_inside_a_function_or_for_typing_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mistakes that this test must catch."""
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    wrong = tmp_path / "apps" / "orgs" / "wrong.py"
    wrong.parent.mkdir(parents=True)
    wrong.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from apps.members.models import Member\n"
        "def late():\n    import apps.points.services\n    from apps import rules\n    from apps.core import clock\n"
    )
    assert faults_of_imports([wrong]) == [
        "wrong.py:3 apps.members.models",
        "wrong.py:3 apps.members.models.Member",
        "wrong.py:5 apps.points.services",
        "wrong.py:6 apps.rules",
    ]


def test_foreign_keys_run_downwards() -> None:
    """Also those named by a string."""
    upwards = [
        f"{model._meta.label}.{field.name} → {field.remote_field.model._meta.label}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if getattr(field, "concrete", False) and field.is_relation and is_upwards(model, field)
    ]
    assert upwards == []


def is_upwards(model: Any, field: Any) -> bool:
    here, there = model._meta.app_label, field.remote_field.model._meta.app_label
    return here in ORDER and there in ORDER and ORDER.index(there) > ORDER.index(here)


def test_app_names_in_strings_run_downwards() -> None:
    """`get_model("points", …)` and `"points.PointType"` are arrows too; permissions and message ids are not."""
    models = {model._meta.label: model._meta.app_label for model in apps.get_models()}
    found = []
    for path in sources():
        if len(path.relative_to(ROOT / "apps").parts) < 2:
            continue
        for node in ast.walk(tree_of(path)):
            named = models.get(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
            if named and ORDER.index(named) > ORDER.index(room_of(path)):
                found.append(f"{name_of(path)}:{node.lineno} {named}")
    assert found == []


def is_entry_point(path: Path) -> bool:
    parts = path.relative_to(ROOT / "apps").parts
    return len(parts) > 1 and parts[1].removesuffix(".py") in ENTRY_POINTS


def orm_writes(path: Path) -> list[str]:
    """Calls that look like a write through the ORM: `x.objects.create()`, `row.save()`, `rows.update(a=1)`."""
    found = []
    for node in ast.walk(tree_of(path)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES):
            continue
        owner = ast.unparse(node.func.value)
        # A dictionary or a hash takes a positional argument where a queryset takes keywords.
        is_plain = node.func.attr == "update" and (node.args or "super()" in owner)
        if not is_plain and not owner.startswith(("services", "super()")):
            found.append(f"{name_of(path)}:{node.lineno} {owner}.{node.func.attr}")
    return found


def test_entry_points_write_nothing_through_the_orm() -> None:
    paths = [path for path in sources() if is_entry_point(path)]
    assert len(paths) > 3
    assert [fault for path in paths for fault in orm_writes(path)] == []


def pure_modules() -> list[Path]:
    return [path for path in sources() if name_of(path).startswith(PURE) and not _is_impure_part(path)]


def _is_impure_part(path: Path) -> bool:
    """A pure room still has an app configuration, and may have a door of its own."""
    parts = path.relative_to(ROOT / "apps").parts
    return parts[-1] == "apps.py" or is_entry_point(path) or "templatetags" in parts


@pytest.mark.parametrize("path", pure_modules(), ids=name_of)
def test_a_pure_module_asks_neither_database_nor_settings(path: Path) -> None:
    asks = [node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute) and node.attr == "objects"]
    modules = [name for _, name in imports(path)]
    forbidden = ("django.db.connection", "django.db.transaction", "django.conf.settings", "apps.core.clock.now")
    assert asks == []
    assert [name for name in modules if name in forbidden] == []


def test_only_one_module_asks_the_clock() -> None:
    """Everything else is told `when`; entry points ask `apps.core.clock.now`."""
    found = [
        f"{name_of(path)}:{node.lineno} {ast.unparse(node)}"
        for path in sources()
        if name_of(path) != "core/clock.py"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and (ast.unparse(node.value).rpartition(".")[2], node.attr) in CLOCKS
    ]
    assert found == []


def test_only_entry_points_take_the_present() -> None:
    """A service that asks for the present cannot be replayed or tested at midnight."""
    found = [
        f"{name_of(path)}:{line}"
        for path in sources()
        for line, name in imports(path)
        if name == "apps.core.clock.now" and not is_entry_point(path)
    ]
    assert found == []
