DROP FUNCTION rules_blank(bigint);
DROP TRIGGER only_words ON rules_outcome;
DROP TRIGGER only_words ON rules_helddecision;
