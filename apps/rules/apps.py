from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RulesConfig(AppConfig):
    name = "apps.rules"
    label = "rules"
    verbose_name = _("Rules")

    def ready(self) -> None:
        from apps.rules import giving, held, home, leaving, member_goals, member_page, merging, naming  # noqa: F401 -- register what they bring
