from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SegmentsConfig(AppConfig):
    name = "apps.segments"
    label = "segments"
    verbose_name = _("Segments")

    def ready(self) -> None:
        from apps.segments import (  # noqa: F401 -- what is held of a member, lists that the member list can show
            held,
            lists,
            moments,
            page,
        )
