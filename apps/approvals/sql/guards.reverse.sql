DROP TRIGGER check_version ON approvals_policyversion;
DROP FUNCTION approvals_check_version();
DROP TRIGGER check_request ON approvals_approvalrequest;
DROP FUNCTION approvals_check_request();
DROP TRIGGER check_decision ON approvals_decision;
DROP FUNCTION approvals_check_decision();
DROP TRIGGER append_only ON approvals_evidence;
DROP TRIGGER append_only ON approvals_requestnote;
DROP TRIGGER append_only ON approvals_decision;
