-- First half of the main road: records a batch of events, opens the accounts they may move, and answers with all
-- that evaluation needs to know of each. Refuses (LS001) when the caller's copy of the configuration is old.
CREATE FUNCTION rules_open(batch jsonb, source bigint, epoch bigint, received timestamptz)
RETURNS TABLE (n int, member_id bigint, event_id bigint, home_path text, joined_on date, attributes jsonb,
               counters jsonb, accounts jsonb)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    ns int[];
    members bigint[];
    events bigint[];
    owners bigint[];
    types bigint[];
BEGIN
    IF epoch IS DISTINCT FROM (SELECT value FROM core_epoch) THEN
        RAISE EXCEPTION 'the configuration changed' USING ERRCODE = 'LS001';
    END IF;
    SELECT array_agg(n), array_agg(member_id), array_agg(event_id) INTO ns, members, events
    FROM activity_record(batch, source, received);

    SELECT array_agg(wanted.member), array_agg(wanted.point_type) INTO owners, types FROM (
        SELECT DISTINCT r.member, t::bigint AS point_type
        FROM unnest(ns, members, events) AS r(n, member, event)
        JOIN jsonb_to_recordset(batch) AS e(n int, types jsonb) ON e.n = r.n
        CROSS JOIN LATERAL jsonb_array_elements_text(e.types) AS t
        WHERE r.event IS NOT NULL
    ) wanted;

    RETURN QUERY
    WITH opened AS MATERIALIZED (
        SELECT a.member_id, jsonb_agg(jsonb_build_array(
            a.id, a.point_type_id, a.balance, a.pending, a.held, a.debt, a.lapses_at)) AS accounts
        FROM points_open_accounts(owners, types) a GROUP BY a.member_id
    )
    SELECT r.n, r.member, r.event, u.path::text, m.joined_on, m.attributes,
           (SELECT jsonb_object_agg(c.rule_id, c.points) FROM rules_counter c
            WHERE c.member_id = r.member AND c.day = e.day),
           opened.accounts
    FROM unnest(ns, members, events) AS r(n, member, event)
    JOIN jsonb_to_recordset(batch) AS e(n int, day date) ON e.n = r.n
    LEFT JOIN members_member m ON m.id = r.member
    LEFT JOIN orgs_orgunit u ON u.id = m.home_unit_id
    LEFT JOIN opened ON opened.member_id = r.member
    ORDER BY r.n;
END $$;

-- Second half: writes the points, what each event came to, and the counters of caps.
CREATE FUNCTION rules_settle(plan jsonb, outcomes jsonb, counters jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM points_post(plan);
    INSERT INTO rules_outcome (event_id, member_id, points, answer)
    SELECT o.event, o.member, o.points, o.answer
    FROM jsonb_to_recordset(outcomes) AS o(event bigint, member bigint, points bigint, answer jsonb);
    IF jsonb_array_length(counters) > 0 THEN
        INSERT INTO rules_counter AS known (member_id, rule_id, day, points)
        SELECT c.member, c.rule, c.day, c.points
        FROM jsonb_to_recordset(counters) AS c(member bigint, rule bigint, day date, points bigint)
        ORDER BY 1, 3, 2
        ON CONFLICT (member_id, day, rule_id) DO UPDATE SET points = known.points + excluded.points;
    END IF;
END $$;
