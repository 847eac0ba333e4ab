DROP FUNCTION points_take_openings_back(bigint, int, int, timestamptz, date);
DROP FUNCTION points_open_balances(bigint, int, int, timestamptz, date);
DROP FUNCTION points_opening_key(text, bigint, bigint);
