DROP TRIGGER keep_override_place ON rules_rule;
DROP TRIGGER keep_override ON rules_rule;
DROP FUNCTION rules_keep_override();
