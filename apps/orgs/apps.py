from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrgsConfig(AppConfig):
    name = "apps.orgs"
    label = "orgs"
    verbose_name = _("Organisation")

    def ready(self) -> None:
        from apps.core.migration import after_migrate
        from apps.orgs import reach  # noqa: F401 -- supplies core with the reach of a principal
        from apps.orgs.services import sync_roles

        after_migrate(sync_roles)
