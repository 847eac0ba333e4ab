-- What happened shortly before each event of a batch that was just recorded: in its programme, at an earlier instant, or
-- at the same one and told earlier; of the batch only what was told earlier. Refunds are events like any other.
-- `asked` holds pairs: the member's events or the device's (whoever's they are; none where the event tells no device), and
-- over how many minutes, or `today`. One row for each pair with any.
CREATE FUNCTION activity_recent(batch jsonb) RETURNS TABLE (n int, whose text, time_window text, events bigint)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH told AS MATERIALIZED (
        SELECT b.n, b.asked, e.id, e.member_id AS member, e.program_id AS program, e.device, e.occurred_at AS at, e.day
        FROM jsonb_to_recordset(batch) AS b(n int, id bigint, asked jsonb) JOIN activity_event e ON e.id = b.id
    ), wanted AS MATERIALIZED (
        SELECT told.*, pair ->> 0 AS whose, pair ->> 1 AS time_window,
               told.at - CASE pair ->> 1 WHEN 'today' THEN interval '2 days'
                                         ELSE (pair ->> 1)::int * interval '1 minute' END AS since
        FROM told CROSS JOIN LATERAL jsonb_array_elements(told.asked) AS pair
    ), found AS (
        SELECT w.n, w.whose, w.time_window, e.id FROM wanted w JOIN activity_event e
            ON e.member_id = w.member AND e.occurred_at > w.since AND e.occurred_at <= w.at
        WHERE w.whose = 'member' AND e.program_id = w.program AND (w.time_window <> 'today' OR e.day = w.day)
        UNION ALL
        SELECT w.n, w.whose, w.time_window, e.id FROM wanted w JOIN activity_event e
            ON e.device = w.device AND e.device > '' AND e.occurred_at > w.since AND e.occurred_at <= w.at
        WHERE w.whose = 'device' AND e.program_id = w.program AND (w.time_window <> 'today' OR e.day = w.day)
    )
    SELECT found.n, found.whose, found.time_window, count(*)
    FROM found LEFT JOIN told other USING (id)
    WHERE other.id IS NULL OR other.n < found.n
    GROUP BY found.n, found.whose, found.time_window;
END $$;
