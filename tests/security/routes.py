"""Every address of the studio, read off the resolver, and the matrix of what each of them answers.

Pages that `ScopedAdmin` gives every model have their rows here once, by kind. A page of one's own needs a row in
`ROUTES`, under its full name; the sweep fails on an address without one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

KINDS = ("changelist", "add", "change", "delete", "history", "export")


@dataclass(frozen=True)
class Route:
    """One address: its full name (or its pattern, where it has none) and its parameters."""

    name: str
    pattern: str
    parameters: tuple[str, ...]

    def path(self, **values: Any) -> str:
        path = re.sub(r"<(?:[a-z]+:)?(\w+)>", lambda found: str(values[found[1]]), self.pattern)
        return "/" + path


@dataclass(frozen=True)
class ModelPage:
    """A page of an admin class: of the model, or of one row."""

    model: Any
    kind: str


@dataclass(frozen=True)
class RowPage:
    """A page of one's own about one row. Who holds `permission` on it gets one of `get` or `post`; who sees the row
    but may not gets 403; to everybody else the row does not exist."""

    model: str
    permission: str
    get: tuple[int, ...] = (405,)
    post: tuple[int, ...] = (302,)
    from_below: bool = False
    """Whether the permission may be held at a unit below that of the row."""


@dataclass(frozen=True)
class SitePage:
    """A page about no row: what GET answers to a signed-in person, and to a stranger.

    `values` fill its parameters. `permission`, where given, is needed; without it the answer is 403.
    """

    get: int = 200
    stranger: int = 302
    permission: str = ""
    values: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class ApiCall:
    """A call of the API: its method, the scope it needs, the row that its path names, its query and its body.

    `own` is the answer to a client of the company whose `things` it names; see test_api.py.
    """

    method: str
    scope: str
    own: int = 200
    row: str = ""
    query: Callable[[Any], str] = lambda things: ""
    body: Callable[[Any], Any] = lambda things: None


ROUTES: dict[str, RowPage | SitePage | ApiCall] = {
    "api:openapi-json": SitePage(stranger=200),
    "api:openapi-view": SitePage(stranger=200),
    "api:api-root": SitePage(get=404, stranger=404),
    "api:nothing-here": SitePage(get=404, stranger=404),
    "api:get_health": SitePage(stranger=200),
    "api:send_event": ApiCall("POST", "events:write", 201, body=lambda things: things.event),
    "api:send_events": ApiCall("POST", "events:write", body=lambda things: {"events": [things.event]}),
    "api:enrol_member": ApiCall(
        "POST", "members:write", 201, body=lambda things: {"identifiers": [{"value": "NEW"}], "home_unit": things.store}
    ),
    "api:find_member": ApiCall("GET", "members:read", query=lambda things: f"?identifier=card:{things.card}"),
    "api:read_member": ApiCall("GET", "members:read", row="member"),
    "api:change_member": ApiCall("PATCH", "members:write", row="member", body=lambda things: {"name": "New"}),
    "api:read_balance": ApiCall("GET", "points:read", row="member"),
    "api:read_entries": ApiCall("GET", "points:read", row="member"),
    "api:read_tier": ApiCall("GET", "points:read", row="member"),
    "api:hold_points": ApiCall(
        "POST",
        "points:redeem",
        201,
        body=lambda things: {"member": {"value": "APIEAST"}, "points": 5, "store": things.store},
    ),
    "api:capture_points": ApiCall("POST", "points:redeem", row="hold"),
    "api:void_points": ApiCall("POST", "points:redeem", row="hold"),
    "set_language": SitePage(get=302, stranger=302),
    "admin:index": SitePage(),
    "admin:login": SitePage(get=302, stranger=200),
    "sign_in": SitePage(get=302, stranger=200),
    "second_step": SitePage(get=302, stranger=302),
    "change_password": SitePage(),
    "why": SitePage(get=404),
    "two_step": SitePage(),
    "begin_two_step": SitePage(get=405),
    "confirm_two_step": SitePage(get=405),
    "end_two_step": SitePage(get=405),
    "notices": SitePage(),
    "latest_notices": SitePage(),
    "unread_notices": SitePage(),
    "read_notices": SitePage(get=405),
    "notice_settings": SitePage(),
    "notice": SitePage(get=404, values=(("notice_id", 87_654_321),)),
    "admin:logout": SitePage(get=405, stranger=302),
    "admin:password_change": SitePage(),
    "admin:password_change_done": SitePage(),
    "admin:autocomplete": SitePage(get=403),
    "admin:jsi18n": SitePage(),
    "admin:search": SitePage(),
    "admin:view_on_site": SitePage(get=404, values=(("content_type_id", 1), ("object_id", 10_001))),
    "admin:app_list": SitePage(get=404, values=(("app_label", "none"),)),
    "(?P<url>.*)$": SitePage(get=404, stranger=302, values=(("url", "no/such/page"),)),
    "admin:reports_cost": SitePage(permission="reports.view_dailyfact"),
    "admin:reports_ledger": SitePage(permission="reports.view_ledgercheck"),
    "admin:orgs_staff_grant": RowPage("orgs.staff", "orgs.change_staff", post=(404,)),
    "admin:orgs_staff_revoke": RowPage("orgs.staff", "orgs.change_staff", post=(404,)),
    "admin:orgs_staff_active": RowPage("orgs.staff", "orgs.change_staff"),
    "admin:orgs_staff_leave": RowPage("orgs.staff", "orgs.change_staff", (200,), (405,)),
    "admin:orgs_staff_access": RowPage("orgs.staff", "orgs.view_staff", (200,), (405,)),
    "admin:orgs_orgunit_access": RowPage("orgs.orgunit", "orgs.view_staff", (200,), (405,)),
    "admin:orgs_staff_view_as": RowPage("orgs.staff", "orgs.change_staff"),
    "admin:orgs_orgunit_review_roles": RowPage("orgs.orgunit", "orgs.change_staff"),
    "admin:orgs_certification_decide": RowPage("orgs.certification", "orgs.change_staff", post=(404,)),
    "admin:orgs_certification_table": RowPage("orgs.certification", "orgs.view_certification", (200,), (405,)),
    "end_view": SitePage(get=405),
    "admin:orgs_staff_password": RowPage("orgs.staff", "orgs.change_staff", get=(200,), post=(200,)),
    "admin:orgs_staff_sign_out": RowPage("orgs.staff", "orgs.change_staff"),
    "admin:orgs_staff_second_step": RowPage("orgs.staff", "orgs.change_staff"),
    "admin:members_member_reveal": RowPage("members.member", "members.reveal_member"),
    "admin:members_member_timeline": RowPage("members.member", "members.view_member", (200,), (405,)),
    "admin:members_member_timeline_file": RowPage("members.member", "members.view_member", (200,), (405,)),
    "admin:members_qualityrule_board": SitePage(permission="members.view_qualityfigure"),
    "admin:members_qualityrule_measure": SitePage(get=405, permission="members.measure_qualityrule"),
    "admin:members_qualityrule_gate": SitePage(
        get=405, permission="members.change_qualitygate", values=(("program_id", 87_654_321),)
    ),
    "admin:members_qualityrule_fix": RowPage(
        "members.qualityrule", "members.change_member", (302,), (302,), from_below=True
    ),
    "admin:members_member_identify": RowPage("members.member", "members.change_member"),
    "admin:members_member_forget": RowPage("members.member", "members.change_member"),
    "admin:members_duplicatepair_search": SitePage(get=405),
    "admin:members_duplicatepair_merge": RowPage("members.duplicatepair", "members.add_merge"),
    "admin:members_duplicatepair_different": RowPage("members.duplicatepair", "members.change_duplicatepair"),
    "admin:members_merge_undo": RowPage("members.merge", "members.add_merge"),
    "admin:members_member_verify": RowPage("members.member", "members.change_member"),
    "admin:members_member_propose": RowPage("members.member", "members.add_duplicatepair"),
    "admin:members_member_state": RowPage("members.member", "members.change_member"),
    # The planted file is none that could be read, and nothing of it is checked: these pages lead back to its own.
    "admin:members_memberimport_columns": RowPage("members.memberimport", "members.add_memberimport", (302,)),
    "admin:members_memberimport_layout": RowPage("members.memberimport", "members.add_memberimport"),
    "admin:members_memberimport_progress": RowPage("members.memberimport", "members.view_memberimport", (200,), (405,)),
    "admin:members_memberimport_decide": RowPage("members.memberimport", "members.add_memberimport"),
    "admin:members_memberimport_undecide": RowPage("members.memberimport", "members.add_memberimport"),
    "admin:members_memberimport_refused": RowPage("members.memberimport", "members.add_memberimport", (200,), (405,)),
    "admin:members_memberimport_start": RowPage("members.memberimport", "members.add_memberimport"),
    "admin:members_memberimport_cancel": RowPage("members.memberimport", "members.add_memberimport"),
    "admin:members_memberimport_take_back": RowPage("members.memberimport", "members.add_memberimport", (302,)),
    "admin:approvals_approvalrequest_inbox": SitePage(permission="approvals.view_approvalrequest"),
    "admin:approvals_approvalrequest_bulk": SitePage(get=405, permission="approvals.view_approvalrequest"),
    "admin:approvals_approvalrequest_views": SitePage(get=405, permission="approvals.view_approvalrequest"),
    "admin:approvals_approvalrequest_act": RowPage(
        "approvals.approvalrequest", "approvals.view_approvalrequest", post=(404,)
    ),
    "admin:approvals_approvalrequest_again": RowPage(
        "approvals.approvalrequest", "approvals.view_approvalrequest", get=(404,), post=(404,)
    ),
    "admin:approvals_approvalrequest_people": RowPage(
        "approvals.approvalrequest", "approvals.view_approvalrequest", get=(404,), post=(405,)
    ),
    "admin:approvals_approvalrequest_evidence": RowPage(
        "approvals.approvalrequest", "approvals.view_approvalrequest", get=(404,), post=(405,)
    ),
    "admin:members_erasure_erase": RowPage("members.member", "members.erase_member", get=(200,), post=(200,)),
    "admin:members_erasure_own_data": RowPage("members.member", "members.hand_out_member", get=(200,), post=(200,)),
    "admin:members_erasure_file": RowPage("members.erasure", "members.view_erasure", get=(200,), post=(405,)),
    "admin:members_blockedidentifier_lift": SitePage(permission="members.lift_blockedidentifier"),
    "admin:members_consent_of": RowPage("members.member", "members.view_consent", get=(200,), post=(405,)),
    "admin:members_consent_record": RowPage("members.member", "members.add_consent", post=(200,)),
    "api:record_consent": ApiCall(
        "POST",
        "members:write",
        201,
        row="member",
        body=lambda things: {"purpose": things.purpose, "channel": "sms", "given": True, "proof": "form 7"},
    ),
    "api:read_consents": ApiCall("GET", "members:read", row="member"),
    "admin:points_account_adjust": RowPage("members.member", "points.adjust_points", get=(200,), post=(200,)),
    "admin:points_account_adjust_preview": RowPage("members.member", "points.adjust_points", get=(200,), post=(405,)),
    "admin:points_adjustmentbatch_send": RowPage(
        "points.adjustmentbatch", "points.adjust_points", get=(200,), post=(200,)
    ),
    "admin:points_adjustmentbatch_refused": RowPage(
        "points.adjustmentbatch", "points.add_adjustmentbatch", get=(200,), post=(405,)
    ),
    "admin:points_adjustmentbatch_discard": RowPage("points.adjustmentbatch", "points.add_adjustmentbatch"),
    "admin:points_posting_reverse": RowPage("points.posting", "points.adjust_points", get=(200,), post=(200,)),
    "admin:orgs_apiclient_rotate": RowPage("orgs.apiclient", "orgs.change_apiclient", post=(200, 302)),
    "admin:orgs_apiclient_active": RowPage("orgs.apiclient", "orgs.change_apiclient"),
    "admin:activity_importjob_progress": RowPage("activity.importjob", "activity.view_importjob", (200,), (405,)),
    "admin:activity_importjob_cancel": RowPage("activity.importjob", "activity.add_importjob"),
    "admin:activity_importjob_refused": RowPage("activity.importjob", "activity.add_importjob", (200,), (405,)),
    "admin:approvals_delegation_mine": SitePage(),
    "admin:approvals_delegation_people": SitePage(),
    "admin:approvals_delegation_end": RowPage("approvals.delegation", "approvals.change_delegation"),
    "admin:segments_tag_of": RowPage("members.member", "members.change_membertag", (200,), (405,)),
    "admin:segments_tag_hand": RowPage("members.member", "members.change_membertag"),
    "admin:segments_tag_preview": SitePage(get=405, permission="segments.change_tag"),
    "admin:segments_tag_ready": SitePage(permission="segments.add_tag"),
    "admin:segments_tag_refresh": RowPage("segments.tag", "segments.change_tag"),
    "admin:segments_segment_preview": SitePage(get=405, permission="segments.change_segment"),
    "admin:segments_segment_compare": SitePage(permission="segments.view_segment"),
    "admin:segments_rfmscheme_map": SitePage(permission="segments.view_rfmscore"),
    "admin:rules_codebatch_odds": SitePage(get=405, permission="rules.add_codebatch"),
    "admin:rules_codebatch_redeem": RowPage("members.member", "rules.redeem_code", get=(200,), post=(200,)),
    "admin:rules_codebatch_progress": RowPage("rules.codebatch", "rules.view_codebatch", (200,), (405,)),
    "admin:rules_codebatch_make": RowPage("rules.codebatch", "rules.change_codebatch"),
    "admin:rules_codebatch_download": RowPage("rules.codebatch", "rules.download_codes"),
    "admin:rules_codebatch_stop": RowPage("rules.codebatch", "rules.change_codebatch"),
    "admin:rules_heldevent_decide": SitePage(get=404, permission="rules.decide_heldevent"),
    "admin:approvals_policy_people": SitePage(permission="approvals.change_policyversion"),
    **{
        f"admin:approvals_policy_{page}": RowPage("approvals.policy", "approvals.change_policy", post=(200,))
        for page in ("preview", "save", "try", "past")
    },
    "admin:approvals_policy_draft": RowPage("approvals.policy", "approvals.change_policy"),
    "admin:approvals_policy_discard": RowPage("approvals.policy", "approvals.change_policy"),
    "admin:approvals_policy_publish": RowPage("approvals.policy", "approvals.publish_policy"),
    "admin:approvals_policy_switch": RowPage("approvals.policy", "approvals.publish_policy"),
    "admin:rules_rule_gallery": SitePage(permission="rules.add_rule"),
    "admin:rules_rule_program": SitePage(permission="rules.view_rule"),
    "admin:rules_rule_program_export": SitePage(get=404, permission="rules.view_rule"),
    "admin:rules_rule_program_compare": SitePage(get=405, permission="rules.view_rule"),
    "admin:rules_rule_program_import": SitePage(get=405, permission="rules.add_rule"),
    "program_schema": SitePage(stranger=200),
    "admin:rules_rule_preview": SitePage(get=405, permission="rules.change_ruleversion"),
    "admin:rules_rule_count": SitePage(get=405, permission="rules.change_ruleversion"),
    "admin:rules_rule_try": SitePage(get=405, permission="rules.change_ruleversion"),
    "admin:rules_rule_autosave": RowPage("rules.rule", "rules.change_rule", post=(200,)),
    "admin:rules_rule_publish": RowPage("rules.rule", "rules.change_rule"),
    "admin:rules_rule_withdraw": RowPage("rules.rule", "rules.change_rule", post=(404,)),
    # Who may add rules somewhere may ask for one below a rule that they see; the unit is looked for where they may.
    "admin:rules_rule_override": RowPage("rules.rule", "rules.add_rule", post=(404,), from_below=True),
    "admin:rules_rule_take_over": RowPage("rules.rule", "rules.change_rule"),
    "admin:rules_rule_draft": RowPage("rules.rule", "rules.change_rule", post=(404,)),
    "admin:rules_rule_discard": RowPage("rules.rule", "rules.change_rule"),
    "admin:rules_rule_retire": RowPage("rules.rule", "rules.publish_rule"),
}
"""Rows of pages that are not every model's, by full name."""


def every_route() -> list[Route]:
    return list(_walk(get_resolver().url_patterns, "", ()))


def _walk(patterns: Any, prefix: str, spaces: tuple[str, ...]) -> Iterator[Route]:
    for each in patterns:
        pattern = str(each.pattern)
        if isinstance(each, URLResolver):
            inner = (*spaces, each.namespace) if each.namespace else spaces
            yield from _walk(each.url_patterns, prefix + pattern, inner)
        elif isinstance(each, URLPattern):
            name = ":".join((*spaces, each.name)) if each.name else prefix + pattern
            text = re.sub(r"\(\?P<(\w+)>[^)]*\)|\^|\$$|\\", lambda found: f"<{found[1]}>" if found[1] else "", pattern)
            names = re.findall(r"<(?:[a-z]+:)?(\w+)>", prefix + text)
            yield Route(name, prefix + text, tuple(names))


def model_pages() -> dict[str, ModelPage]:
    """The pages that every registered model has, by full name."""
    pages: dict[str, ModelPage] = {}
    for model in admin.site._registry:
        start = f"{model._meta.app_label}_{model._meta.model_name}"
        pages |= {f"admin:{start}_{kind}": ModelPage(model, kind) for kind in KINDS}
        # Django leads the bare address of a row to its form.
        pages[f"{model._meta.app_label}/{model._meta.model_name}/<path:object_id>/"] = ModelPage(model, "bare")
    return pages


def row_of(route: Route) -> ModelPage | RowPage | SitePage | ApiCall | None:
    return model_pages().get(route.name) or ROUTES.get(route.name)
