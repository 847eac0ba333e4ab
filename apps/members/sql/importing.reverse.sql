DROP FUNCTION members_import_take_back(bigint, int, int, bigint[], timestamptz, bigint, text);
DROP FUNCTION members_import_take(bigint, int, int, timestamptz, date, text, bigint, text);
DROP FUNCTION members_import_decide(bigint, text, text, text, bigint, jsonb);
DROP FUNCTION members_import_states(bigint, text[]);
DROP FUNCTION members_import_match(bigint, text[], text, int[]);
DROP FUNCTION members_import_known(bigint, boolean);
DROP FUNCTION members_import_twice(bigint, text, boolean);
