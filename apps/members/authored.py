"""Rows that say who did it."""

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.orgs.models import ApiClient, Staff


class Authored(models.Model):
    """A row that says who did it: a person, an API client, or neither for the studio itself."""

    actor = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+", verbose_name=_("person"))
    client = models.ForeignKey(ApiClient, models.PROTECT, null=True, related_name="+", verbose_name=_("API client"))

    class Meta:
        abstract = True

    @property
    def author(self) -> str:
        if self.actor is not None:
            return self.actor.get_full_name() or self.actor.get_username()
        return str(self.client) if self.client is not None else gettext("The studio")
