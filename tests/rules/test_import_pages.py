"""The pages of imports, asked as a browser asks."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.activity.models import Event, ImportJob
from apps.core import uploads as uploading
from apps.members.models import Look
from apps.members.services import enrol_many
from apps.rules.importing import run_import, start_import
from tests.factories import Cast, CoffeeGroup
from tests.rules.conftest import FIXTURES, publish
from tests.rules.test_importing import NOW

ADD = "/activity/importjob/add/"


@pytest.fixture
def client_of(cast: Cast) -> Any:
    def sign_in(persona: str) -> Client:
        client = Client()
        client.force_login(cast[persona], backend="apps.orgs.auth.RoleBackend")
        return client

    return sign_in


def send(client: Client, program: Any, name: str, content: bytes, **more: str) -> Any:
    return client.post(ADD, {"program": program.pk, "preset": "", "file": SimpleUploadedFile(name, content), **more})


def faulty_job(group: CoffeeGroup, actor: Any) -> ImportJob:
    enrol_many([("card", "7001", group.units["S001"].pk, NOW.date())], when=NOW)
    job = start_import(actor, FIXTURES / "events_faulty.csv", group.east, when=NOW)
    return run_import(job.pk, clock=lambda: NOW)


def test_an_upload_becomes_a_job_of_its_sender(client_of: Any, cast: Cast, group: CoffeeGroup) -> None:
    content = (FIXTURES / "events_small.csv").read_bytes()
    answer = send(client_of("integrator"), group.east, "小文件.csv", content, enrols="on")
    job = ImportJob.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/activity/importjob/{job.pk}/change/")
    assert (job.file_name, job.created_by, job.enrols, job.state) == ("小文件.csv", cast["integrator"], True, "staging")
    assert run_import(job.pk, clock=lambda: NOW).events_new == 6


@pytest.mark.parametrize(("persona", "program"), [("integrator", "west"), ("outsider", "east")])
def test_nobody_sends_a_file_for_another_companys_programme(
    client_of: Any, group: CoffeeGroup, persona: str, program: str
) -> None:
    answer = send(client_of(persona), group.programs[program], "events.csv", b"x")
    assert (answer.status_code, ImportJob.objects.count()) == (200, 0)
    assert "program" in answer.context["adminform"].form.errors


def test_an_empty_file_is_refused_at_its_field(client_of: Any, group: CoffeeGroup) -> None:
    answer = send(client_of("marketing"), group.east, "empty.csv", b"")
    assert (list(answer.context["adminform"].form.errors), ImportJob.objects.count()) == (["file"], 0)


def test_a_file_over_the_limit_is_not_taken_in(
    client_of: Any, group: CoffeeGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "LARGEST_MB", 1)
    answer = send(client_of("marketing"), group.east, "large.csv", b"x" * ((1 << 20) + 1))
    assert "512 MB" in str(answer.context["adminform"].form.errors["file"])
    assert (answer.wsgi_request.FILES, ImportJob.objects.count()) == ({}, 0)


def test_the_card_is_for_who_sees_the_job(client_of: Any, cast: Cast, group: CoffeeGroup) -> None:
    job = start_import(cast["integrator"], FIXTURES / "events_small.csv", group.east, when=NOW)
    path = reverse("admin:activity_importjob_progress", args=[job.pk])
    page = client_of("finance").get(path).content.decode()
    assert "data-studio-running" in page
    assert "Cancel the import" not in page
    assert "Cancel the import" in client_of("integrator").get(path).content.decode()
    assert client_of("outsider").get(path).status_code == 404


def test_the_refused_rows_leave_quoted_and_come_back_corrected(
    client_of: Any, cast: Cast, group: CoffeeGroup, tmp_path: Path
) -> None:
    publish(group)
    job = faulty_job(group, cast["integrator"])
    path = reverse("admin:activity_importjob_refused", args=[job.pk])
    answer = client_of("integrator").get(path)
    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [row["event_key"] for row in rows] == [
        "F-02", "F-03", "F-04", "F-05", "F-06", "F-06", "F-07", "F-08", "F-09", "F-10", "F-12", "F-13", "F-14", "F-15",
    ]  # fmt: skip
    assert (rows[0]["#line"], rows[0]["occurred_at"]) == ("3", "三月二日")
    assert rows[0]["#reason"].startswith("occurred_at: This is not a date")
    assert (rows[-1]["sku"], rows[-1]["备注"]) == ("'=1+1", "'=cmd()")
    assert rows[9]["amount"] == "'-5.00"
    assert Look.objects.get().what == f"import {job.pk}, events_faulty.csv"

    rows[0]["occurred_at"], rows[-1]["amount"] = "2026-03-02T08:20:00", "12.00"
    corrected = io.StringIO()
    writer = csv.DictWriter(corrected, rows[0].keys())
    writer.writeheader()
    writer.writerows([rows[0], rows[-1]])
    (tmp_path / "corrected.csv").write_text(corrected.getvalue(), encoding="utf-8")
    again = start_import(cast["integrator"], tmp_path / "corrected.csv", group.east, when=NOW)
    assert run_import(again.pk, clock=lambda: NOW).events_new == 2
    last = Event.objects.get(key="F-15")
    assert (last.lines.get().sku, last.attributes) == ("=1+1", {"备注": "=cmd()"})


def test_only_who_may_import_gets_the_refused_rows(client_of: Any, cast: Cast, group: CoffeeGroup) -> None:
    job = faulty_job(group, cast["integrator"])
    path = reverse("admin:activity_importjob_refused", args=[job.pk])
    statuses = {name: client_of(name).get(path).status_code for name in ("marketing", "finance", "service", "outsider")}
    assert statuses == {"marketing": 200, "finance": 403, "service": 404, "outsider": 404}


def test_the_job_page_shows_the_rows_of_one_reason(client_of: Any, cast: Cast, group: CoffeeGroup) -> None:
    job = faulty_job(group, cast["integrator"])
    client = client_of("finance")
    path = reverse("admin:activity_importjob_change", args=[job.pk])
    page = client.get(path).context
    assert (page["faults_total"], page["reasons"][0]) == (14, ("not_a_number", "This is not a number.", 2))
    page = client.get(f"{path}?reason=unknown_store").context
    assert [(line, value) for line, _column, _words, value in page["faults"]] == [(5, "S999"), (16, "S101")]
    assert client.get(f"{path}?reason=none").context["faults_total"] == 14


def test_pages_cost_the_same_however_many_rows_were_refused(
    client_of: Any, cast: Cast, group: CoffeeGroup, django_assert_max_num_queries: Any
) -> None:
    job = faulty_job(group, cast["integrator"])
    client = client_of("finance")
    with django_assert_max_num_queries(16):
        client.get(reverse("admin:activity_importjob_change", args=[job.pk]))
