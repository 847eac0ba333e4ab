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
    "view", "points.pointtype", "orgs.specialday", "rules.rule", "rules.ruleversion", "rules.rulereview",
    "rules.codebatch", "rules.codedownload",
)  # fmt: skip
MEMBERS = _can("view", "members.member", "members.identifier", "members.memberchange", "members.membertag")
LOOKS = _can("view", "members.look")
ACTIVITY = _can("view", "activity.source", "activity.event", "activity.eventline", "activity.memberday")
LEDGER = _can(
    "view", "points.account", "points.posting", "points.entry", "points.lot", "points.hold", "points.holdlot",
    "rules.outcome", "rules.counter", "rules.unitcounter", "rules.progress", "rules.daytold", "rules.daywaiting",
    "rules.friendwaiting", "rules.heldevent", "rules.helddecision", "rules.codeuse",
)  # fmt: skip
IMPORTS = _can("view", "activity.importjob", "activity.importchunk", "activity.importrow", "activity.importfault")
REPORTS = _can("view", "reports.dailyfact", "reports.watermark")
LEDGER_CHECKS = _can("view", "reports.ledgercheck", "reports.ledgerdifference") | {"reports.check_ledger"}

PERMISSIONS: dict[Persona, frozenset[str]] = {
    Persona.MARKETING: TREE | PROGRAMME | MEMBERS | ACTIVITY | LEDGER | IMPORTS | REPORTS
    | _can(
        "add change", "rules.rule", "rules.ruleversion", "rules.codebatch", "points.pointtype", "orgs.specialday"
    )
    | _can("delete", "rules.ruleversion", "rules.codebatch")
    | _can("add", "activity.importjob")
    | {"rules.publish_rule", "rules.download_codes"},
    Persona.FINANCE: TREE | PROGRAMME | MEMBERS | ACTIVITY | LEDGER | IMPORTS | REPORTS | LEDGER_CHECKS
    | {"rules.decide_heldevent"},
    Persona.REGIONAL_MANAGER: TREE | PROGRAMME | MEMBERS | ACTIVITY | LEDGER | REPORTS
    | {"points.adjust_points", "rules.decide_heldevent"},
    Persona.SERVICE: TREE | PROGRAMME | MEMBERS | ACTIVITY | LEDGER
    | _can("add change", "members.member", "members.identifier")
    | _can("delete", "members.identifier")
    | {"members.reveal_member", "points.adjust_points", "points.redeem_points", "rules.redeem_code"},
    Persona.SHOP: TREE | _can("add", "activity.event") | {"points.redeem_points"},
    Persona.AUDITOR: TREE | PROGRAMME | MEMBERS | ACTIVITY | LEDGER | IMPORTS | REPORTS | LEDGER_CHECKS | LOOKS
    | _can("view", "orgs.staff", "orgs.apiclient", "orgs.keptanswer", "rules.code", "rules.codeguess"),
    Persona.INTEGRATOR: TREE | PROGRAMME | IMPORTS
    | _can("view", "activity.source")
    | _can("view add change", "orgs.apiclient")
    | _can("add", "activity.importjob"),
    Persona.ADMINISTRATOR: TREE | PROGRAMME | REPORTS
    | _can("add change", "orgs.orgunit", "orgs.program", "orgs.specialday", "points.pointtype")
    | _can("view add change", "orgs.staff", "orgs.apiclient"),
}  # fmt: skip
