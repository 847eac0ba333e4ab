from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ActivityConfig(AppConfig):
    name = "apps.activity"
    label = "activity"
    verbose_name = _("Activity")

    def ready(self) -> None:
        from apps.activity import held, home, living, merging  # noqa: F401 -- contribute to lower rooms
