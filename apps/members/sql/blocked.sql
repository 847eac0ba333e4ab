-- Marks the rows of a file that name somebody who was erased: they do not come back with a file. Identifiers are held whole
-- against those that are blocked, whatever the planner believes of a file that was written a moment ago.
CREATE OR REPLACE FUNCTION members_import_blocked(job bigint) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_nestloop = off AS $$
DECLARE
    numbers integer[];
BEGIN
    IF EXISTS (SELECT FROM members_blockedidentifier WHERE lifted_at IS NULL) THEN
        SELECT array_agg(DISTINCT n.number) INTO numbers
        FROM members_rowidentifier n
        JOIN members_blockedidentifier b ON b.kind = n.kind AND b.value_hash = n.value_hash AND b.lifted_at IS NULL
        WHERE n.job_id = job;
        UPDATE members_memberrow r SET findings = r.findings || '{"erased": ""}'
        WHERE r.job_id = job AND r.number = ANY (numbers);
    END IF;
END $$;
