CREATE TRIGGER only_words BEFORE UPDATE ON rules_helddecision
    FOR EACH ROW EXECUTE FUNCTION core_only_words('reason');
CREATE TRIGGER only_words BEFORE UPDATE ON rules_outcome
    FOR EACH ROW EXECUTE FUNCTION core_only_words('answer');

-- Blanks what people wrote when they decided on a member's held events. The answers to their events repeat the events'
-- keys: where such a key gave way (see activity_blank), it does in the answer.
CREATE FUNCTION rules_blank(erased bigint) RETURNS TABLE (relation text, blanked bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public SET studio.door = 'erasure' AS $$
#variable_conflict use_column
BEGIN
    PERFORM members_require_erasing(erased);
    RETURN QUERY WITH done AS (
        UPDATE rules_helddecision d SET reason = '—' FROM rules_heldevent h
        WHERE h.event_id = d.held_event_id AND h.member_id = erased RETURNING 1
    ) SELECT 'rules_helddecision', count(*) FROM done;
    RETURN QUERY WITH done AS (
        UPDATE rules_outcome o SET answer = jsonb_set(o.answer, '{key}', to_jsonb(e.key)) FROM activity_event e
        WHERE e.id = o.event_id AND o.member_id = erased AND o.answer->>'key' <> e.key RETURNING 1
    ) SELECT 'rules_outcome', count(*) FROM done;
END $$;
