DROP FUNCTION points_blank(bigint, text[]);
DROP TRIGGER only_words ON points_posting;
CREATE OR REPLACE TRIGGER sent_rows_changed AFTER UPDATE ON points_adjustmentrow REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION points_refuse_sent_rows();
CREATE OR REPLACE TRIGGER sent_rows_moved AFTER UPDATE ON points_adjustmentrow REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION points_refuse_sent_rows();
