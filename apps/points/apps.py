from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PointsConfig(AppConfig):
    name = "apps.points"
    label = "points"
    verbose_name = _("Points ledger")

    def ready(self) -> None:
        from apps.points import held, home, member_page, moments  # noqa: F401 -- contribute to the pages of lower rooms
        from apps.points.services import merging, opening  # noqa: F401 -- what moves with members, and what their files bring
