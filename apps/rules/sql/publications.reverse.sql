DROP TRIGGER require_review_new ON rules_ruleversion;
DROP TRIGGER require_review ON rules_ruleversion;
DROP FUNCTION rules_require_review();
DROP TRIGGER keep_submitted_place ON rules_rule;
DROP FUNCTION rules_keep_submitted_place();
DROP TRIGGER keep_submitted_content ON rules_ruleversion;
DROP TRIGGER keep_submitted ON rules_ruleversion;
DROP FUNCTION rules_keep_submitted();
DROP INDEX rules_one_open_publication;
