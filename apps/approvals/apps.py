from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApprovalsConfig(AppConfig):
    name = "apps.approvals"
    label = "approvals"
    verbose_name = _("Approvals")

    def ready(self) -> None:
        from apps.approvals import home, leaving, notices  # noqa: F401 -- contribute to pages of others
        from apps.approvals.services.desk import ApprovalDesk
        from apps.approvals.services.sending import keep_gate
        from apps.orgs.desk import set_desk
        from apps.orgs.gate import set_gatekeeper

        set_gatekeeper(keep_gate)
        set_desk(ApprovalDesk())
