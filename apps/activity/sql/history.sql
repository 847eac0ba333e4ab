-- What members had done before each event of a batch that was just recorded: in its programme, at an earlier instant, or
-- at the same one and told earlier. Days before the event's own are read whole; they hold all of the batch already, so
-- what was told after the event is taken off again. Events of its own day are looked at one by one.
-- `starts` holds the first day of each window that is asked for. One row for each event and window in which the member
-- had done anything.
CREATE FUNCTION activity_history(batch jsonb)
RETURNS TABLE (n int, time_window text, orders bigint, spent numeric, visits bigint, check_ins bigint, last_order_on date)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH told AS MATERIALIZED (
        SELECT b.n, b.starts, e.id, e.member_id AS member, e.program_id AS program, e.occurred_at AS at, e.day,
               (SELECT min(w.value::date) FROM jsonb_each_text(b.starts) AS w) AS since,
               (e.kind = 'purchase')::int AS orders, (e.kind = 'check_in')::int AS check_ins,
               CASE e.kind WHEN 'purchase' THEN e.amount WHEN 'refund' THEN -e.amount END AS spent
        FROM jsonb_to_recordset(batch) AS b(n int, id bigint, starts jsonb) JOIN activity_event e ON e.id = b.id
    ), done AS (
        SELECT told.n, d.day, d.purchases AS orders, d.spent - d.refunded AS spent, d.check_ins
        FROM told JOIN activity_memberday d ON d.member_id = told.member AND d.program_id = told.program
                                           AND d.day >= told.since AND d.day < told.day
        UNION ALL
        SELECT told.n, other.day, sign * other.orders, sign * other.spent, sign * other.check_ins
        FROM told JOIN told other ON other.member = told.member AND other.program = told.program
        CROSS JOIN LATERAL (
            SELECT CASE WHEN other.day < told.day AND other.n > told.n THEN -1
                        WHEN other.day = told.day AND other.n < told.n AND other.at <= told.at THEN 1 END AS sign
        ) AS counted
        WHERE other.day >= told.since AND sign IS NOT NULL
        UNION ALL
        SELECT told.n, e.day, (e.kind = 'purchase')::int,
               CASE e.kind WHEN 'purchase' THEN e.amount WHEN 'refund' THEN -e.amount END, (e.kind = 'check_in')::int
        FROM told JOIN activity_event e
            ON e.member_id = told.member AND e.occurred_at BETWEEN told.at - interval '2 days' AND told.at
        WHERE told.since IS NOT NULL AND e.program_id = told.program AND e.day = told.day
            AND e.id NOT IN (SELECT id FROM told)
    ), daily AS (
        SELECT n, day, sum(orders) AS orders, sum(spent) AS spent, sum(check_ins) AS check_ins FROM done GROUP BY n, day
    )
    SELECT told.n, w.key, sum(daily.orders)::bigint, coalesce(sum(daily.spent), 0),
           count(*) FILTER (WHERE daily.orders > 0 OR daily.check_ins > 0), sum(daily.check_ins)::bigint,
           max(daily.day) FILTER (WHERE daily.orders > 0)
    FROM told CROSS JOIN LATERAL jsonb_each_text(told.starts) AS w
    JOIN daily ON daily.n = told.n AND daily.day >= w.value::date
    GROUP BY told.n, w.key;
END $$;
