-- What accounts had earned and spent up to each moment of a batch, that moment included, on the days of each window whose
-- first day is told. Pending points count from the day they were earned; what was taken back later was earned still.
-- One row for each window in which there was anything.
CREATE FUNCTION points_history(batch jsonb) RETURNS TABLE (n int, time_window text, earned bigint, spent bigint)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT b.n, w.key, coalesce(sum(p.points + p.pending_points) FILTER (WHERE p.kind = 'earn'), 0)::bigint,
           coalesce(-sum(p.points) FILTER (WHERE p.kind = 'redeem'), 0)::bigint
    FROM jsonb_to_recordset(batch) AS b(n int, account bigint, at timestamptz, starts jsonb)
    JOIN points_posting p ON p.account_id = b.account AND p.kind IN ('earn', 'redeem') AND p.posted_at <= b.at
    JOIN LATERAL jsonb_each_text(b.starts) AS w ON p.day >= w.value::date
    GROUP BY b.n, w.key;
END $$;
