"""What `test_gate` holds the verbs of the studio against: those that no policy holds, each with the reason why not, and
how a thing of each kind is made.

A verb is named by its module below `apps` and its function: `orgs.services.granting:revoke_role`.
"""

TAKES_AWAY = "It takes something away, and that must not wait for anybody."
WAITS = "It is how requests themselves are sent and decided, which a policy cannot hold in turn."
DRAFT = "It writes a draft, which does nothing before it is published; publishing passes the gate."
INNER = "It is a step of verbs that pass the gate themselves, and no door calls it."
STAGED = "It stages a file of members, which changes nobody; taking it in passes the gate."
MEMBER = "It changes what is known of a member, moves no points and gives nobody a right; the history tells it."
LOOKS = "It shows nothing in clear: it puts on record that somebody searched, or took a masked list away."
SETTING = "It is configuration that moves no points and gives nobody a right by itself; its history says who and when."
OWN = "It helps or concerns one person's own sign-in and leaves their rights as they are."

FREE: dict[str, str] = {
    "approvals.services.asking:add_approver": WAITS,
    "approvals.services.asking:attach": WAITS,
    "approvals.services.asking:comment": WAITS,
    "approvals.services.asking:delegate": WAITS,
    "approvals.services.asking:end_delegation": TAKES_AWAY,
    "approvals.services.asking:require_own": "It only asks whether somebody may arrange another's absence, and locks that person.",
    "approvals.services.asking:transfer": WAITS,
    "approvals.services.asking:watch": WAITS,
    "approvals.services.absences:arrange_absence": WAITS,
    "approvals.services.absences:change_absence": WAITS,
    "approvals.services.deciding:decide": WAITS,
    "approvals.services.deciding:withdraw": WAITS,
    "approvals.services.policies:create_policy": DRAFT,
    "approvals.services.policies:discard_policy_draft": DRAFT,
    "approvals.services.policies:save_policy_draft": DRAFT,
    "approvals.services.policies:start_policy_draft": DRAFT,
    "approvals.services.sending:keep_gate": "It is the gate's own answer, and keeps only that something was done.",
    "approvals.services.sending:lock_together": INNER,
    "approvals.services.sending:send": WAITS,
    "approvals.services.sending:send_again": WAITS,
    "approvals.services.views:forget_view": "It keeps a person's own way of looking at a list, and nothing else.",
    "approvals.services.views:save_view": "It keeps a person's own way of looking at a list, and nothing else.",
    "members.importing.bringing:bring": STAGED,
    "members.importing.bringing:cancel": TAKES_AWAY,
    "members.importing.bringing:lay_out": STAGED,
    "members.importing.bringing:locked": INNER,
    "members.importing.bringing:map_columns": STAGED,
    "members.importing.deciding:decide": STAGED,
    "members.services.changing:change_member": MEMBER,
    "members.services.changing:close_member": MEMBER,
    "members.services.changing:reopen_member": MEMBER,
    "members.services.enrolling:create_member": MEMBER,
    "members.services.identifying:add_identifier": MEMBER,
    "members.services.identifying:remove_identifier": MEMBER,
    "members.services.looking:find_by_identifier": LOOKS,
    "members.services.looking:find_members": LOOKS,
    "members.services.looking:record_export": LOOKS,
    "members.services.looking:record_matching": LOOKS,
    "members.services.rows:locked": INNER,
    "members.services.rows:record": INNER,
    "orgs.services.calendar:create_special_day": SETTING,
    "orgs.services.certifying:decide_line": TAKES_AWAY,
    "orgs.services.certifying:open_certification": "It lists who holds what, to be looked at; nothing of it changes.",
    "orgs.services.clients:rotate_key": "The client may do what it could do before; only the old key stops working.",
    "orgs.services.granting:revoke_role": TAKES_AWAY,
    "orgs.services.hours:change_working_time": SETTING,
    "orgs.services.hours:create_working_time": SETTING,
    "orgs.services.people:change_staff": "Name, address and home unit give no right; whoever is to manage them must reach both units.",
    "orgs.services.people:create_staff": "A person without a role sees nothing; giving the first role passes the gate.",
    "orgs.services.people:locked_staff": INNER,
    "orgs.services.people:set_password": OWN,
    "orgs.services.signing_in:reset_second_step": OWN,
    "orgs.services.tree:change_unit": SETTING,
    "orgs.services.tree:create_program": SETTING,
    "orgs.services.tree:create_unit": SETTING,
    "orgs.services.viewing:begin_view": "It lets an administrator read as somebody below them, on record, and change nothing.",
    "orgs.services.viewing:end_view": TAKES_AWAY,
    "points.services.adjusting:ask_adjustment": WAITS,
    "points.services.asking:ask": WAITS,
    "points.services.reasons:change_reason": SETTING,
    "points.services.reasons:create_reason": SETTING,
    "points.services.reversing:ask_reversal": WAITS,
    "points.services.batches:ask_batch": WAITS,
    "points.services.batches:discard_batch": DRAFT,
    "points.services.batches:refused_rows": "It only reads the rows of a file that were refused, and gives them back.",
    "points.services.batches:stage_batch": "It stages a file and checks it, which moves nothing; posting it passes the gate.",
    "points.services.deciding:release_event": INNER,
    "points.services.deciding:take_back_event": INNER,
    "points.services.types:ask_terms": WAITS,
    "points.services.types:create_point_type": SETTING,
    "reports.services.checks:check_ledger": "It counts the ledger and keeps what it found; nothing of it changes.",
    "rules.bringing_in:import_of": "It keeps the document that is asked for, word for word; bringing it in passes the gate.",
    "rules.bringing_in:import_planned": "It only tells who would have to say yes, and undoes what it wrote for that.",
    "rules.codes.services:create_batch": DRAFT,
    "rules.codes.services:discard_batch": DRAFT,
    "rules.codes.services:download": "It hands out codes that were made already, and puts on record to whom.",
    "rules.codes.services:redeem": "A member's own code gives what its published rule promises, once.",
    "rules.codes.services:stop_batch": TAKES_AWAY,
    "rules.importing:cancel": TAKES_AWAY,
    "rules.importing:refused_rows": "It only reads the rows of an import that were refused, and gives them back.",
    "rules.importing:start_import": "What happened is recorded as a till would record it; published rules say what it earns.",
    "rules.importing:start_upload": "What happened is recorded as a till would record it; published rules say what it earns.",
    "rules.overriding:override_rule": DRAFT,
    "rules.overriding:take_over": DRAFT,
    "rules.publishing:publish_draft": INNER,
    "rules.publishing:send_publication": WAITS,
    "rules.services:change_rule": SETTING,
    "rules.services:create_rule": DRAFT,
    "rules.services:discard_draft": DRAFT,
    "rules.services:restore_version": DRAFT,
    "rules.services:save_draft": DRAFT,
    "rules.services:start_draft": DRAFT,
}
"""Verbs that no policy holds."""

TO_COME: dict[str, str] = {}
"""Verbs whose gate is on its way. Empty in the end."""
