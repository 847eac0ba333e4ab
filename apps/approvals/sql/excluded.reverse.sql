DROP TRIGGER check_excluded ON approvals_decision;
DROP FUNCTION approvals_check_excluded();
DROP TRIGGER keep_excluded ON approvals_approvalrequest;
DROP FUNCTION approvals_keep_excluded();
