DROP VIEW reports_movement;
DROP FUNCTION reports_folded();
