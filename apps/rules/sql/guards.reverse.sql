DROP TRIGGER keep_published ON rules_ruleversion;
DROP FUNCTION rules_keep_published();
DROP TRIGGER append_only ON rules_outcome;
DROP TRIGGER raise_epoch ON rules_ruleversion;
DROP TRIGGER raise_epoch ON rules_rule;
