DROP FUNCTION rules_settle(jsonb, jsonb, jsonb);
DROP FUNCTION rules_reserve(jsonb);
DROP FUNCTION rules_open(jsonb, bigint, bigint, timestamptz);
