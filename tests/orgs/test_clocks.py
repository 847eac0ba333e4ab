"""Moments are told by the clocks of who reads them."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.points.models import PointType
from tests.factories import Cast, CoffeeGroup

pytestmark = pytest.mark.django_db


def test_a_history_is_told_in_the_time_zone_of_who_reads_it(client: Client, cast: Cast, group: CoffeeGroup) -> None:
    kind = PointType.objects.filter(program=group.east).first()
    assert kind is not None
    kind.history.update(history_date=datetime(2026, 5, 4, 20, 15, tzinfo=UTC))
    client.force_login(cast.administrator, backend="apps.orgs.auth.RoleBackend")
    page = client.get(reverse("admin:points_pointtype_history", args=[kind.pk])).content.decode()
    assert "5 May 2026, 04:15" in page
    assert "4 May 2026, 20:15" not in page
    assert timezone.get_current_timezone_name() == "UTC"
