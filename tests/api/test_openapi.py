"""Our own description of the API: complete, served from our own server, and true of what the calls do."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, Phase
from hypothesis import settings as limits
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.api import api
from tests.api.conftest import Caller
from tests.security.routes import ROUTES, ApiCall

OPEN = {"get_health"}
"""Calls that need no key."""

METHODS = {"get", "post", "patch", "put", "delete"}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    answer = Client().get("/api/v1/openapi.json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    return dict(answer.json())


def operations(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in described["paths"].values() for name, operation in path.items() if name in METHODS]


def test_every_call_is_described(described: dict[str, Any]) -> None:
    calls = {name.removeprefix("api:"): row for name, row in ROUTES.items() if isinstance(row, ApiCall)}
    found = {operation["operationId"]: operation for operation in operations(described)}
    assert set(found) == set(calls) | OPEN
    for name in calls:
        operation = found[name]
        assert f"Scope: `{calls[name].scope}`" in operation["description"], name
        assert operation["security"] == [{"ApiKey": []}]
        assert operation["responses"]["default"]["content"] == {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        }


def test_every_body_has_an_example_that_the_call_takes(described: dict[str, Any]) -> None:
    text = str(described)
    for name in ("MemberSent", "MemberChanged", "RedemptionSent", "BatchSent", "EventSent"):
        assert name in text
    for operation in operations(described):
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if schema:
            whole = (
                described["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
            )
            assert whole["examples"], operation["operationId"]


def test_every_status_of_a_refusal_is_in_the_guide() -> None:
    guide = (Path(settings.BASE_DIR) / "docs" / "api.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d{3}) \| (.*?) \|", guide, re.MULTILINE))
    for code, status in api.statuses.items():
        assert f"`{code}`" in rows[str(status)], code


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    for name in re.findall(r"#/components/schemas/(\w+)", str(described)):
        assert name in described["components"]["schemas"], name
    assert "#/$defs" not in str(described)


def test_the_pages_load_nothing_from_elsewhere() -> None:
    page = Client().get("/api/v1/docs").content.decode()
    assert re.findall(r'(?:src|href)="(?!/static/)([^"]+)"', page) == []
    assert not re.findall(r"<script(?![^>]*(?:src=|application/json))", page)


SCHEMA = schemathesis.openapi.from_dict(api.get_openapi_schema(path_prefix="/api/v1/"))
SCHEMA.app = WSGIHandler()
SCHEMA.location = "/api/v1/openapi.json"


CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def one_connection() -> Iterator[None]:
    """A real server closes connections between requests; the test's transaction lives on its own."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@SCHEMA.parametrize()
@limits(
    max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_the_calls_do_what_is_described(case: Any, till: Caller, one_connection: None) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {till.key}"}, checks=CHECKS)
