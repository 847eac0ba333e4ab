from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrgsConfig(AppConfig):
    name = "apps.orgs"
    label = "orgs"
    verbose_name = _("Organisation")

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from apps.core.migration import after_migrate
        from apps.orgs import access, clocks, home, reach  # noqa: F401 -- contribute to the home page, supply core with reaches
        from apps.orgs.services import sync_roles

        after_migrate(sync_roles)
        user_logged_in.connect(clocks.remember)
