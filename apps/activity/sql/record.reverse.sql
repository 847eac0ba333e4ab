DROP FUNCTION IF EXISTS activity_record(jsonb, bigint, timestamptz);
