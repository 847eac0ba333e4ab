DROP FUNCTION IF EXISTS rules_find_codes(jsonb, bigint, timestamptz);
