"""The epoch: one number that grows whenever configuration changes, so that processes know their copy is old."""

from django.db import models

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
