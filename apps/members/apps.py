from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MembersConfig(AppConfig):
    name = "apps.members"
    label = "members"
    verbose_name = _("Members")

    def ready(self) -> None:
        from apps.members import home, moments  # noqa: F401 -- contribute to the home page and the timeline
        from apps.members.merging import held as merges  # noqa: F401 -- the same of merges
        from apps.members.merging import page as merges_page  # noqa: F401 -- contributes to the member page
        from apps.members.merging import services  # noqa: F401 -- what can be asked for
        from apps.members.privacy import erasing, held, page  # noqa: F401 -- what is held of a member, and how it goes
        from apps.members.quality import page as quality  # noqa: F401 -- contributes to the page of a programme
