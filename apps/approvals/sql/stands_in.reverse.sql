DROP TRIGGER check_stand_in ON approvals_decision;
DROP FUNCTION approvals_check_stand_in();
