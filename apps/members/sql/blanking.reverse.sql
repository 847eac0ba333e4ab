DROP FUNCTION IF EXISTS members_blank(bigint, text[]);
