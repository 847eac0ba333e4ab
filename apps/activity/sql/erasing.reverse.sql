DROP FUNCTION activity_blank(bigint, text[]);
DROP TRIGGER only_words ON activity_event;
