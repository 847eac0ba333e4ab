DROP FUNCTION activity_history(jsonb);
