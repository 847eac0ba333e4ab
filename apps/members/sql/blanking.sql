-- Blanks what the histories say of a member, what was said of them when they were looked at, searched (`masks`: what names
-- them, as records show it) or asked about, and the files that were attached. A merge that was asked for is about both; of one
-- that was undone, what the other member's history says beside that it happened goes as well.
CREATE OR REPLACE FUNCTION members_blank(erased bigint, masks text[]) RETURNS TABLE (relation text, blanked bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public SET studio.door = 'erasure' AS $$
#variable_conflict use_column
DECLARE
    asked bigint[] := ARRAY(
        SELECT id FROM approvals_approvalrequest
        WHERE about = 'member:' || erased
           OR (kind = 'members.merge' AND subject->'gone' = to_jsonb(erased))
           OR (kind = 'members.unmerge' AND subject->'merge' IN (SELECT to_jsonb(id) FROM members_merge WHERE gone_id = erased)));
    others bigint[] := ARRAY(
        SELECT CASE kept_id WHEN erased THEN gone_id ELSE kept_id END FROM members_merge WHERE erased IN (kept_id, gone_id));
BEGIN
    PERFORM members_require_erasing(erased);
    RETURN QUERY WITH done AS (
        UPDATE members_memberchange SET
            changes = CASE member_id WHEN erased THEN '[]' ELSE jsonb_path_query_array(
                changes, '$[*] ? (@.field == "merged_from" || @.field == "merged_into")') END,
            reason = CASE reason WHEN '' THEN '' ELSE '—' END
        WHERE member_id = erased OR (member_id = ANY (others) AND jsonb_path_exists(
            changes, '$[*] ? ((@.field == "merged_from" || @.field == "merged_into") && (@.old == $them || @.new == $them))',
            jsonb_build_object('them', erased::text)))
        RETURNING 1
    ) SELECT 'members_memberchange', count(*) FROM done;
    RETURN QUERY WITH done AS (
        UPDATE members_look SET what = CASE what WHEN '' THEN '' ELSE '—' END,
                                reason = CASE reason WHEN '' THEN '' ELSE '—' END
        WHERE member_id = erased OR (kind = 'search' AND what = ANY (masks)) RETURNING 1
    ) SELECT 'members_look', count(*) FROM done;
    RETURN QUERY WITH done AS (
        UPDATE members_consent SET proof = CASE proof WHEN '' THEN '' ELSE '—' END WHERE member_id = erased RETURNING 1
    ) SELECT 'members_consent', count(*) FROM done;
    RETURN QUERY WITH done AS (
        UPDATE approvals_approvalrequest SET reason = CASE reason WHEN '' THEN '' ELSE '—' END
        WHERE id = ANY (asked) RETURNING 1
    ) SELECT 'approvals_approvalrequest', count(*) FROM done;
    RETURN QUERY WITH done AS (
        UPDATE approvals_decision SET comment = CASE comment WHEN '' THEN '' ELSE '—' END
        WHERE request_id = ANY (asked) RETURNING 1
    ) SELECT 'approvals_decision', count(*) FROM done;
    RETURN QUERY WITH done AS (
        UPDATE approvals_requestnote SET text = CASE text WHEN '' THEN '' ELSE '—' END,
                                         data = CASE kind WHEN 'evidence' THEN '{"name": "—"}' ELSE data END
        WHERE request_id = ANY (asked) RETURNING 1
    ) SELECT 'approvals_requestnote', count(*) FROM done;
    RETURN QUERY WITH done AS (
        UPDATE approvals_evidence SET name = '—', size = 0, digest = '', content = '' WHERE request_id = ANY (asked)
        RETURNING 1
    ) SELECT 'approvals_evidence', count(*) FROM done;
END $$;
