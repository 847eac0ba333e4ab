DROP TRIGGER keep_place ON rules_rule;
DROP FUNCTION rules_keep_place();
DROP TRIGGER keep_published ON rules_ruleversion;
DROP FUNCTION rules_keep_published();
ALTER TABLE rules_ruleversion DROP CONSTRAINT ruleversion_one_at_a_time;
DROP TRIGGER append_only ON rules_outcome;
DROP TRIGGER raise_epoch ON rules_ruleversion;
DROP TRIGGER raise_epoch_new ON rules_ruleversion;
DROP TRIGGER raise_epoch ON rules_rule;
