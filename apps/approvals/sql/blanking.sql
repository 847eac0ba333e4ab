-- While a member is erased the reasons, comments and files of requests about them are blanked: see core/sql/doors.sql. Of a
-- request its reason alone changes then.
CREATE OR REPLACE TRIGGER check_request BEFORE UPDATE ON approvals_approvalrequest
    FOR EACH ROW WHEN (NOT core_door_is_open('approvals_approvalrequest'::regclass))
    EXECUTE FUNCTION approvals_check_request();
CREATE TRIGGER only_words BEFORE UPDATE ON approvals_approvalrequest
    FOR EACH ROW WHEN (core_door_is_open('approvals_approvalrequest'::regclass))
    EXECUTE FUNCTION core_only_words('reason');
CREATE TRIGGER only_words BEFORE UPDATE ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION core_only_words('comment');
CREATE TRIGGER only_words BEFORE UPDATE ON approvals_requestnote
    FOR EACH ROW EXECUTE FUNCTION core_only_words('text', 'data');
CREATE TRIGGER only_words BEFORE UPDATE ON approvals_evidence
    FOR EACH ROW EXECUTE FUNCTION core_only_words('name', 'size', 'digest', 'content');
