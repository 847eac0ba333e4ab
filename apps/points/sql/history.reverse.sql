DROP FUNCTION points_history(jsonb);
