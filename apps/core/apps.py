from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class CoreConfig(AppConfig):
    name = "apps.core"
    label = "core"

    def ready(self) -> None:
        from apps.core import checks  # noqa: F401 -- registers the system checks


class StudioAdminConfig(AdminConfig):
    """Django's admin, with the studio's own site as the default one."""

    default_site = "apps.core.site.StudioSite"
