"""Promise P1 for the log: what PostgreSQL says of the row at fault is left out."""

import logging

import pytest
from django.db import IntegrityError, connection, transaction

from apps.core.logs import PlainFormatter
from apps.core.models import Epoch


def logged(error: Exception) -> str:
    record = logging.LogRecord("studio", logging.ERROR, __file__, 1, "failed: %s", (error,), (type(error), error, None))
    return PlainFormatter("%(levelname)s %(message)s").format(record)


def test_the_row_at_fault_stays_out_of_the_log(db: None) -> None:
    with pytest.raises(IntegrityError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO core_epoch (id, value) VALUES (2, 13800001234)")
    assert "13800001234" in str(refused.value)
    text = logged(refused.value)
    assert "13800001234" not in text
    assert 'violates check constraint "epoch_single_row"' in text
    assert not Epoch.objects.filter(pk=2).exists()
