DROP FUNCTION activity_record(jsonb, bigint, timestamptz);
