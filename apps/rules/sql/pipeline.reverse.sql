DROP FUNCTION IF EXISTS rules_settle(jsonb, jsonb, jsonb);
DROP FUNCTION IF EXISTS rules_reserve(jsonb);
DROP FUNCTION IF EXISTS rules_open(jsonb, bigint, bigint, timestamptz);
