DROP FUNCTION rules_claim_codes(jsonb);
DROP FUNCTION IF EXISTS rules_find_codes(jsonb, bigint, timestamptz);
DROP TRIGGER keep_batch ON rules_codebatch;
DROP FUNCTION rules_keep_batch();
DROP TRIGGER append_only ON rules_codedownload;
DROP TRIGGER append_only ON rules_codeuse;
