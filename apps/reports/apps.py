from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "apps.reports"
    label = "reports"
    verbose_name = _("Reports")

    def ready(self) -> None:
        from apps.points import checking as ledger
        from apps.reports import checking, home  # noqa: F401 -- contributes to the home page

        ledger.sweeps.extend(checking.SWEEPS)
