DROP FUNCTION activity_recent(jsonb);
