"""The epoch: one number that grows whenever configuration changes, so that processes know their copy is old.
And the outbox: tasks that committed transactions have promised."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from apps.core.scope import Scope, ScopedModel


class Epoch(ScopedModel):
    """Raised by triggers on every table of configuration; read in the same statement that uses a copy of it."""

    scope = Scope(everybody=True)

    id = models.SmallIntegerField(primary_key=True, default=1)
    value = models.BigIntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(name="epoch_single_row", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return str(self.value)


class PromisedTask(ScopedModel):
    """A task that is to run because a transaction was committed; gone when it is done. See `apps.core.work`."""

    scope = Scope(everybody=True)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    task = models.CharField(max_length=120)
    args = models.JSONField(default=list)
    """Ids only: a task reads the rest."""
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now() + timedelta(minutes=1))
    """When the sweeper sends it again."""
    resent = models.SmallIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["due_at"], name="promisedtask_due")]

    def __str__(self) -> str:
        return self.task
