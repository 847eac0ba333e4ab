-- A member who is erased: their points stay in the books as figures, without the words that people wrote.
CREATE OR REPLACE TRIGGER sent_rows_changed AFTER UPDATE ON points_adjustmentrow REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT WHEN (NOT core_door_is_open('points_adjustmentrow'::regclass))
    EXECUTE FUNCTION points_refuse_sent_rows();
CREATE OR REPLACE TRIGGER sent_rows_moved AFTER UPDATE ON points_adjustmentrow REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT WHEN (NOT core_door_is_open('points_adjustmentrow'::regclass))
    EXECUTE FUNCTION points_refuse_sent_rows();

CREATE OR REPLACE TRIGGER only_words BEFORE UPDATE ON points_posting
    FOR EACH ROW EXECUTE FUNCTION core_only_words('reason', 'content_hash', 'key');

-- Blanks the reasons of a member's postings, on both sides where points went to or came from whoever was one with them for a
-- while, and the notes of their rows in files that were sent. A key that spells them (`told`) gives way to the posting's
-- number; the hash of what was sent under a key is made of its reason.
CREATE OR REPLACE FUNCTION points_blank(erased bigint, told text[]) RETURNS TABLE (relation text, blanked bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public SET studio.door = 'erasure' AS $$
#variable_conflict use_column
DECLARE
    moves bigint[] := ARRAY(
        SELECT p.id FROM members_merge m
        JOIN points_posting p ON p.member_id IN (m.kept_id, m.gone_id) AND p.event_id IS NULL
             AND starts_with(p.key, 'merge:' || m.id || ':')
        WHERE erased IN (m.kept_id, m.gone_id));
BEGIN
    PERFORM members_require_erasing(erased);
    RETURN QUERY WITH done AS (
        UPDATE points_posting p SET
            reason = CASE p.reason WHEN '' THEN '' ELSE '—' END,
            content_hash = CASE p.reason WHEN '' THEN p.content_hash END,
            key = CASE WHEN EXISTS (SELECT FROM unnest(told) AS word WHERE strpos(p.key, word) > 0)
                       THEN 'erased:' || p.id ELSE p.key END
        WHERE p.member_id = erased OR p.id = ANY (moves) RETURNING 1
    ) SELECT 'points_posting', count(*) FROM done;
    RETURN QUERY WITH done AS (
        UPDATE points_adjustmentrow r SET note = '', kind = '', value_hash = NULL, cipher = ''
        WHERE r.member_id = erased OR r.given = erased RETURNING 1
    ) SELECT 'points_adjustmentrow', count(*) FROM done;
END $$;
