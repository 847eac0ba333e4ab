DROP TRIGGER only_words ON approvals_evidence;
DROP TRIGGER only_words ON approvals_requestnote;
DROP TRIGGER only_words ON approvals_decision;
DROP TRIGGER only_words ON approvals_approvalrequest;
CREATE OR REPLACE TRIGGER check_request BEFORE UPDATE ON approvals_approvalrequest
    FOR EACH ROW EXECUTE FUNCTION approvals_check_request();
