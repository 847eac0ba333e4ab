CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON members_erasure
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON members_erasureline
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON members_consent
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON members_consentwording
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();

CREATE TRIGGER only_words BEFORE UPDATE ON members_memberchange
    FOR EACH ROW EXECUTE FUNCTION core_only_words('changes', 'reason');
CREATE TRIGGER only_words BEFORE UPDATE ON members_look
    FOR EACH ROW EXECUTE FUNCTION core_only_words('what', 'reason');
CREATE TRIGGER only_words BEFORE UPDATE ON members_consent
    FOR EACH ROW EXECUTE FUNCTION core_only_words('proof');

-- The transaction that erases a member, and no other, may blank what append-only tables say of them.
ALTER TABLE members_erasure ADD COLUMN transaction xid8 NOT NULL DEFAULT pg_current_xact_id();

-- Every door begins with it: nothing is blanked without a certificate.
CREATE FUNCTION members_require_erasing(erased bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM members_erasure e WHERE e.member_id = erased AND e.transaction = pg_current_xact_id()
    ) THEN
        RAISE EXCEPTION 'member % is not being erased', erased USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

-- Blanks what the histories say of a member, what was said of them when they were looked at, searched (`masks`: what names
-- them, as records show it) or asked about, and the files that were attached.
CREATE FUNCTION members_blank(erased bigint, masks text[]) RETURNS TABLE (relation text, blanked bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public SET studio.door = 'erasure' AS $$
#variable_conflict use_column
DECLARE
    asked bigint[] := ARRAY(SELECT id FROM approvals_approvalrequest WHERE about = 'member:' || erased);
BEGIN
    PERFORM members_require_erasing(erased);
    RETURN QUERY WITH done AS (
        UPDATE members_memberchange SET changes = '[]', reason = CASE reason WHEN '' THEN '' ELSE '—' END
        WHERE member_id = erased RETURNING 1
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

-- Marks the rows of a file that name somebody who was erased: they do not come back with a file.
CREATE FUNCTION members_import_blocked(job bigint) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    IF EXISTS (SELECT FROM members_blockedidentifier WHERE lifted_at IS NULL) THEN
        UPDATE members_memberrow r SET findings = r.findings || '{"erased": ""}'
        FROM members_rowidentifier n
        JOIN members_blockedidentifier b ON b.kind = n.kind AND b.value_hash = n.value_hash AND b.lifted_at IS NULL
        WHERE n.job_id = members_import_blocked.job AND r.job_id = n.job_id AND r.number = n.number;
    END IF;
END $$;
