CREATE TRIGGER only_words BEFORE UPDATE ON activity_event
    FOR EACH ROW EXECUTE FUNCTION core_only_words('key', 'content_hash', 'order_no', 'device', 'attributes');

-- Blanks what a member's events hold beside figures. A key that spells them (`told`) gives way to the event's number. What
-- was sent is hashed with what names the member in it: the hash goes too, and the same key sent again is refused.
CREATE FUNCTION activity_blank(erased bigint, told text[]) RETURNS TABLE (relation text, blanked bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public SET studio.door = 'erasure' AS $$
#variable_conflict use_column
BEGIN
    PERFORM members_require_erasing(erased);
    RETURN QUERY WITH done AS (
        UPDATE activity_event e SET
            attributes = '{}', order_no = '', device = '', content_hash = decode(repeat('00', 16), 'hex'),
            key = CASE WHEN EXISTS (SELECT FROM unnest(told) AS word WHERE strpos(e.key, word) > 0)
                       THEN 'erased:' || e.id ELSE e.key END
        WHERE e.member_id = erased RETURNING 1
    ) SELECT 'activity_event', count(*) FROM done;
END $$;
