"""What stands in the sidebar, for whom: the pages of a person's job that they have the right to open.

Every other page that a person may open is found with Ctrl+K.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.orgs.jobs import jobs_held

Text = str | Promise

MARKETING, FINANCE, MANAGER, PRESIDENT, HEAD, SERVICE, SHOP, AUDITOR, INTEGRATOR, ADMINISTRATOR = (
    "marketing", "finance", "regional_manager", "vice_president", "marketing_head", "service", "shop", "auditor",
    "integrator", "administrator",
)  # fmt: skip
EVERYBODY = (
    MARKETING, FINANCE, MANAGER, PRESIDENT, HEAD, SERVICE, SHOP, AUDITOR, INTEGRATOR, ADMINISTRATOR,
)  # fmt: skip
READERS = (MARKETING, FINANCE, MANAGER, PRESIDENT, HEAD, SERVICE, AUDITOR)


@dataclass(frozen=True)
class Item:
    """A page in the sidebar: shown to who has one of `jobs` and holds `permission` somewhere."""

    title: Text
    icon: str
    address: str
    permission: str = ""
    jobs: tuple[str, ...] = EVERYBODY

    def entry(self, request: HttpRequest) -> dict[str, Any] | None:
        person: Any = request.user
        if not jobs_held(person).intersection(self.jobs):
            return None
        if self.permission and not person.has_perm(self.permission):
            return None
        try:
            link = reverse(self.address)
        except NoReverseMatch:
            return None
        is_here = request.path == link or (link != reverse("admin:index") and request.path.startswith(link))
        return {"title": self.title, "icon": self.icon, "link": link, "active": lambda request: is_here}


@dataclass(frozen=True)
class Group:
    title: Text
    items: tuple[Item, ...]


GROUPS = (
    Group(_("My work"), (
        Item(_("Home"), "home", "admin:index"),
        Item(_("Inbox"), "inbox", "admin:approvals_approvalrequest_inbox", "approvals.view_approvalrequest"),
        Item(_("My absences"), "beach_access", "admin:approvals_delegation_mine"),
    )),
    Group(_("Customers"), (
        Item(_("Members"), "group", "admin:members_member_changelist", "members.view_member", READERS),
        Item(_("Data quality"), "fact_check", "admin:members_qualityrule_board", "members.view_qualityfigure",
             (MARKETING, HEAD, MANAGER, PRESIDENT, SERVICE, AUDITOR, INTEGRATOR, ADMINISTRATOR)),
        Item(_("Tags"), "sell", "admin:segments_tag_changelist", "segments.view_tag",
             (MARKETING, HEAD, FINANCE, MANAGER, PRESIDENT, AUDITOR)),
        Item(_("Segments"), "filter_alt", "admin:segments_segment_changelist", "segments.view_segment",
             (MARKETING, HEAD, FINANCE, MANAGER, PRESIDENT, AUDITOR)),
        Item(_("RFM groups"), "grid_on", "admin:segments_rfmscheme_map", "segments.view_rfmscore",
             (MARKETING, HEAD, MANAGER, PRESIDENT, AUDITOR)),
        Item(_("Duplicates"), "group_work", "admin:members_duplicatepair_changelist", "members.view_duplicatepair",
             (MANAGER, SERVICE, AUDITOR)),
        Item(_("Looks at members"), "visibility", "admin:members_look_changelist", "members.view_look", (AUDITOR,)),
        Item(_("Erasures"), "person_remove", "admin:members_erasure_changelist", "members.view_erasure", (SERVICE, AUDITOR)),
        Item(_("Blocked identifiers"), "block", "admin:members_blockedidentifier_changelist",
             "members.view_blockedidentifier", (SERVICE, AUDITOR)),
        Item(_("Events"), "receipt_long", "admin:activity_event_changelist", "activity.view_event", READERS),
        Item(_("Held for review"), "gpp_maybe", "admin:rules_heldevent_changelist", "rules.view_heldevent", READERS),
    )),
    Group(_("Programme"), (
        Item(_("Rules"), "rule", "admin:rules_rule_changelist", "rules.view_rule", READERS),
        Item(_("Codes"), "qr_code_2", "admin:rules_codebatch_changelist", "rules.view_codebatch", READERS),
        Item(_("Point types"), "toll", "admin:points_pointtype_changelist", "points.view_pointtype",
             (MARKETING, HEAD, FINANCE, AUDITOR, ADMINISTRATOR)),
        Item(_("Reason codes"), "label", "admin:points_reasoncode_changelist", "points.view_reasoncode",
             (MARKETING, FINANCE, SERVICE, AUDITOR, ADMINISTRATOR)),
        Item(_("Member attributes"), "tune", "admin:members_attributedefinition_changelist",
             "members.view_attributedefinition", (MARKETING, HEAD, AUDITOR, ADMINISTRATOR)),
        Item(_("Purposes of consents"), "handshake", "admin:members_consentpurpose_changelist",
             "members.view_consentpurpose", (MARKETING, HEAD, AUDITOR, ADMINISTRATOR)),
        Item(_("Recognising members"), "person_search", "admin:members_matchingorder_changelist", "members.view_matchingorder",
             (MARKETING, AUDITOR, ADMINISTRATOR, INTEGRATOR)),
        Item(_("Special days"), "event", "admin:orgs_specialday_changelist", "orgs.view_specialday",
             (MARKETING, AUDITOR, ADMINISTRATOR)),
        Item(_("Programmes"), "loyalty", "admin:orgs_program_changelist", "orgs.view_program",
             (MARKETING, FINANCE, AUDITOR, ADMINISTRATOR, INTEGRATOR)),
    )),
    Group(_("Points ledger"), (
        Item(_("Accounts"), "account_balance_wallet", "admin:points_account_changelist", "points.view_account",
             (FINANCE, MANAGER, PRESIDENT, SERVICE, AUDITOR)),
        Item(_("Postings"), "swap_vert", "admin:points_posting_changelist", "points.view_posting",
             (FINANCE, MANAGER, PRESIDENT, SERVICE, AUDITOR)),
        Item(_("Adjust many"), "table_rows", "admin:points_adjustmentbatch_changelist", "points.view_adjustmentbatch",
             (FINANCE, MANAGER, PRESIDENT, SERVICE, AUDITOR)),
        Item(_("Entries"), "format_list_numbered", "admin:points_entry_changelist", "points.view_entry",
             (FINANCE, AUDITOR)),
        Item(_("Lots"), "layers", "admin:points_lot_changelist", "points.view_lot", (FINANCE, AUDITOR)),
        Item(_("Holds"), "lock_clock", "admin:points_hold_changelist", "points.view_hold",
             (FINANCE, SERVICE, AUDITOR)),
    )),
    Group(_("Reports"), (
        Item(_("Points cost"), "monitoring", "admin:reports_cost", "reports.view_dailyfact",
             (MARKETING, FINANCE, MANAGER, PRESIDENT, HEAD, AUDITOR)),
        Item(_("Does the ledger tie?"), "balance", "admin:reports_ledger", "reports.view_ledgercheck",
             (FINANCE, AUDITOR)),
    )),
    Group(_("Connections"), (
        Item(_("Imports"), "upload_file", "admin:activity_importjob_changelist", "activity.view_importjob",
             (MARKETING, FINANCE, AUDITOR, INTEGRATOR)),
        Item(_("Member files"), "group_add", "admin:members_memberimport_changelist", "members.view_memberimport",
             (MARKETING, FINANCE, AUDITOR, INTEGRATOR)),
        Item(_("API clients"), "key", "admin:orgs_apiclient_changelist", "orgs.view_apiclient",
             (INTEGRATOR, ADMINISTRATOR, AUDITOR)),
        Item(_("Sources"), "lan", "admin:activity_source_changelist", "activity.view_source", (INTEGRATOR, AUDITOR)),
    )),
    Group(_("Organisation"), (
        Item(_("Org units"), "account_tree", "admin:orgs_orgunit_changelist", "orgs.view_orgunit",
             (ADMINISTRATOR, AUDITOR, INTEGRATOR, MANAGER, PRESIDENT)),
        Item(_("Staff"), "badge", "admin:orgs_staff_changelist", "orgs.view_staff"),
        Item(_("Approval policies"), "gavel", "admin:approvals_policy_changelist", "approvals.view_policy"),
        Item(_("Working times"), "schedule", "admin:orgs_workingtime_changelist", "orgs.view_workingtime",
             (ADMINISTRATOR, AUDITOR, MANAGER)),
        Item(_("Absences"), "event_busy", "admin:approvals_delegation_changelist", "approvals.view_delegation",
             (ADMINISTRATOR, AUDITOR)),
        Item(_("Roles"), "assignment_ind", "admin:orgs_role_changelist", "orgs.view_role", (ADMINISTRATOR, AUDITOR)),
        Item(_("Reviews of roles"), "fact_check", "admin:orgs_certification_changelist", "orgs.view_certification",
             (ADMINISTRATOR, AUDITOR)),
        Item(_("Views as somebody else"), "visibility", "admin:orgs_viewas_changelist", "orgs.view_viewas", (AUDITOR,)),
    )),
)  # fmt: skip


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar for the signed-in person; groups without a page are left out."""
    shown = []
    for group in GROUPS:
        items = [entry for item in group.items if (entry := item.entry(request))]
        if items:
            shown.append({"title": group.title, "items": items})
    return shown
