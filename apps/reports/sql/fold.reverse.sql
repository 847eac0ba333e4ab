DROP FUNCTION reports_fold(pg_snapshot, pg_snapshot);
DROP FUNCTION reports_ended();
