"""What each job may touch: the model permissions of every persona. Where, follows from the units of its roles.

Seeing personal data in clear (`members.reveal_member`) is never part of seeing a member.
"""

from apps.orgs.models import Persona


def _can(verbs: str, *models: str) -> frozenset[str]:
    """`_can("view change", "orgs.program")` is `orgs.view_program` and `orgs.change_program`."""
    pairs = [(verb, *model.split(".")) for verb in verbs.split() for model in models]
    return frozenset(f"{app}.{verb}_{model}" for verb, app, model in pairs)


TREE = _can("view", "orgs.orgunit", "orgs.program", "orgs.role", "core.epoch")
PROGRAMME = _can(
    "view", "points.pointtype", "points.reasoncode", "orgs.specialday", "rules.rule", "rules.ruleversion",
    "rules.programfile", "members.matchingorder",
    "rules.codebatch", "rules.codedownload",
)  # fmt: skip
QUALITY = _can("view", "members.qualityrule", "members.qualityfigure", "members.qualityday", "members.qualitygate")
SETS_QUALITY = _can("add change delete", "members.qualityrule") | {
    "members.measure_qualityrule", "members.change_qualitygate",
}  # fmt: skip
MEMBERS = QUALITY | _can(
    "view", "members.member", "members.identifier", "members.memberchange", "members.membertag",
    "segments.tag", "segments.tagrefresh", "segments.segment", "segments.segmentmember", "segments.segmentmove",
    "segments.rfmscheme", "segments.rfmscore",
    "members.attributedefinition", "members.consent", "members.consentpurpose", "members.consentwording",
    "members.merge", "members.duplicatepair", "members.duplicatesearch",
)  # fmt: skip
LOOKS = _can("view", "members.look", "members.erasure", "members.erasureline", "members.blockedidentifier")
ACTIVITY = _can("view", "activity.source", "activity.event", "activity.eventline", "activity.memberday")
LEDGER = _can(
    "view", "points.account", "points.posting", "points.entry", "points.lot", "points.hold", "points.holdlot",
    "points.adjustmentbatch", "points.adjustmentrow",
    "rules.outcome", "rules.counter", "rules.unitcounter", "rules.progress", "rules.daytold", "rules.daywaiting",
    "rules.friendwaiting", "rules.heldevent", "rules.helddecision", "rules.codeuse",
)  # fmt: skip
APPROVALS = _can(
    "view", "approvals.policy", "approvals.policyversion", "approvals.approvalrequest", "approvals.approvalstep",
    "approvals.approvaltask", "approvals.decision", "approvals.requestnote", "approvals.evidence", "approvals.watch",
    "approvals.savedview", "orgs.workingtime",
)  # fmt: skip
EVERYBODY = TREE | APPROVALS
"""Which requests a person reads follows from their kinds and from who was asked."""
IMPORTS = _can(
    "view", "activity.importjob", "activity.importchunk", "activity.importrow", "activity.importfault",
    "members.memberimport", "members.memberchunk", "members.memberrow", "members.rowidentifier", "members.importmapping",
)  # fmt: skip
REPORTS = _can("view", "reports.dailyfact", "reports.watermark")
LEDGER_CHECKS = _can("view", "reports.ledgercheck", "reports.ledgerdifference") | {"reports.check_ledger"}

PERMISSIONS: dict[Persona, frozenset[str]] = {
    Persona.MARKETING: EVERYBODY | PROGRAMME | MEMBERS | ACTIVITY | LEDGER | IMPORTS | REPORTS
    | _can(
        "add change", "rules.rule", "rules.ruleversion", "rules.codebatch", "points.pointtype", "points.reasoncode",
        "orgs.specialday", "members.attributedefinition", "members.consentpurpose", "segments.tag", "segments.segment",
        "segments.rfmscheme",
    )
    | _can("delete", "rules.ruleversion", "rules.codebatch", "members.attributedefinition", "segments.tag", "segments.segment")
    | _can("add", "activity.importjob") | _can("change", "members.membertag")
    | SETS_QUALITY | {"rules.publish_rule", "rules.download_codes"},
    Persona.FINANCE: EVERYBODY | PROGRAMME | MEMBERS | ACTIVITY | LEDGER | IMPORTS | REPORTS | LEDGER_CHECKS
    | {"rules.decide_heldevent"},
    Persona.REGIONAL_MANAGER: EVERYBODY | PROGRAMME | MEMBERS | ACTIVITY | LEDGER | REPORTS
    | {"points.adjust_points", "points.add_adjustmentbatch", "rules.decide_heldevent", "members.add_merge"}
    | _can("add change", "members.duplicatepair") | _can("add", "members.duplicatesearch"),
    Persona.VICE_PRESIDENT: EVERYBODY | PROGRAMME | MEMBERS | ACTIVITY | LEDGER | REPORTS,
    Persona.MARKETING_HEAD: EVERYBODY | PROGRAMME | MEMBERS | ACTIVITY | LEDGER | IMPORTS | REPORTS,
    Persona.SERVICE: EVERYBODY | PROGRAMME | MEMBERS | ACTIVITY | LEDGER
    | _can("add change", "members.member", "members.identifier", "members.duplicatepair") | _can("change", "members.membertag")
    | _can("delete", "members.identifier")
    | _can("view", "members.erasure", "members.erasureline", "members.blockedidentifier") | _can("add", "members.consent")
    | {"members.reveal_member", "members.hand_out_member", "members.erase_member", "members.lift_blockedidentifier"}
    | {"points.adjust_points", "points.add_adjustmentbatch", "points.redeem_points"}
    | {"rules.redeem_code", "members.measure_qualityrule"},
    Persona.SHOP: EVERYBODY | _can("add", "activity.event") | {"points.redeem_points"},
    Persona.AUDITOR: EVERYBODY | PROGRAMME | MEMBERS | ACTIVITY | LEDGER | IMPORTS | REPORTS | LEDGER_CHECKS | LOOKS
    | _can("view", "orgs.staff", "orgs.apiclient", "orgs.keptanswer", "orgs.digest", "orgs.notice", "rules.code", "rules.codeguess")
    | _can("view", "approvals.delegation", "orgs.certification", "orgs.certificationline", "orgs.viewas"),
    Persona.INTEGRATOR: EVERYBODY | PROGRAMME | IMPORTS | QUALITY
    | _can("view", "activity.source")
    | _can("view add change", "orgs.apiclient")
    | _can("add", "activity.importjob", "members.memberimport") | _can("delete", "members.importmapping"),
    Persona.ADMINISTRATOR: EVERYBODY | PROGRAMME | REPORTS | QUALITY | SETS_QUALITY
    | _can("add change", "orgs.orgunit", "members.matchingorder", "orgs.program", "orgs.specialday", "points.pointtype", "points.reasoncode")
    | _can("view add change", "members.attributedefinition", "members.consentpurpose") | _can("view", "members.consentwording")
    | _can("view add change", "orgs.staff", "orgs.apiclient", "approvals.delegation")
    | _can("add change", "approvals.policy", "approvals.policyversion", "orgs.workingtime")
    | _can("delete", "approvals.policyversion")
    | _can("view", "orgs.certification", "orgs.certificationline", "orgs.viewas")
    | {"approvals.publish_policy", "approvals.direct_approvalrequest"},
}  # fmt: skip
