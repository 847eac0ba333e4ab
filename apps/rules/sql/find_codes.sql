-- Before a batch of events with codes is opened: locks the codes, and answers for each event with all that decides
-- whether its code is redeemed. Locks are taken in one order everywhere: members' guesses, codes, then members.
CREATE OR REPLACE FUNCTION rules_find_codes(told jsonb, source bigint, since timestamptz)
RETURNS TABLE (n int, member_id bigint, is_repeated boolean, guesses int, first_guess timestamptz,
               all_guesses int, first_of_all timestamptz, code_id bigint, number int, uses_left int, has_used boolean,
               batch_id bigint, batch text, state text, starts_on date, ends_on date, uses int, prizes jsonb,
               seed bytea, program_id bigint, unit_path text)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
    -- A member's codes are looked at one after the other, so that many at once are no more guesses than many in a row.
    PERFORM pg_advisory_xact_lock(hashtextextended('codes of member ' || asked.member_id, 0)) FROM (
        SELECT DISTINCT i.member_id FROM jsonb_to_recordset(told) AS t(idk text, idh text)
        JOIN members_identifier i ON i.kind = t.idk AND i.value_hash = decode(t.idh, 'hex') ORDER BY 1
    ) asked;
    PERFORM FROM rules_code c WHERE c.value_hash IN (
        SELECT decode(t.code, 'hex') FROM jsonb_to_recordset(told) AS t(code text)
    ) ORDER BY c.id FOR NO KEY UPDATE;
    -- A new statement: it sees what others committed before we had the locks.
    RETURN QUERY
    SELECT t.n, i.member_id,
           EXISTS (SELECT FROM activity_event e WHERE e.source_id = rules_find_codes.source AND e.key = t.key),
           mine.guesses, mine.first_guess, everybody.guesses, everybody.first_guess,
           c.id, c.number, c.uses_left,
           EXISTS (SELECT FROM rules_codeuse u WHERE u.code_id = c.id AND u.member_id = i.member_id),
           b.id, b.code::text, b.state::text, b.starts_on, b.ends_on, b.uses, b.prizes, b.seed, b.program_id,
           o.path::text
    FROM jsonb_to_recordset(told) AS t(n int, key text, idk text, idh text, code text)
    CROSS JOIN (SELECT count(*)::int AS guesses, min(g.guessed_at) AS first_guess FROM rules_codeguess g
                WHERE g.source_id = rules_find_codes.source AND g.guessed_at > since) everybody
    LEFT JOIN members_identifier i ON i.kind = t.idk AND i.value_hash = decode(t.idh, 'hex')
    LEFT JOIN LATERAL (SELECT count(*)::int AS guesses, min(g.guessed_at) AS first_guess FROM rules_codeguess g
                       WHERE g.member_id = i.member_id AND g.guessed_at > since) mine ON true
    LEFT JOIN rules_code c ON c.value_hash = decode(t.code, 'hex')
    LEFT JOIN rules_codebatch b ON b.id = c.batch_id
    LEFT JOIN orgs_orgunit o ON o.id = b.unit_id
    ORDER BY t.n;
END $$;
