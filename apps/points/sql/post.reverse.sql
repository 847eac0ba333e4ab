DROP FUNCTION points_expire(bigint, timestamptz, date, int);
DROP FUNCTION points_post(jsonb);
DROP FUNCTION points_open_accounts(bigint[], bigint[]);
