-- Which of a batch's good rows would be refused at a moment, and why. What can be spent is what `apps.points.book` says; points
-- are given to and taken from active members alone.
CREATE OR REPLACE FUNCTION points_batch_failing(batch bigint, as_of timestamptz) RETURNS TABLE (id bigint, fault text)
LANGUAGE sql STABLE SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
    SELECT id, fault FROM (
        SELECT r.id,
               CASE WHEN NOT starts_with(u.path, root.path) THEN 'unknown_member'
                    WHEN m.state <> 'active' THEN 'member_closed'
                    WHEN r.points > 0 AND r.points::numeric * t.unit_cost_micros > 1e15 THEN 'too_many'
                    WHEN r.points < 0 AND -r.points > CASE WHEN a.lapses_at <= as_of THEN 0
                         ELSE greatest(0, coalesce(spendable.points, 0) - coalesce(a.debt, 0)) END THEN 'not_enough'
               END AS fault
        FROM points_adjustmentbatch b
        JOIN orgs_orgunit root ON root.id = b.unit_id
        JOIN points_adjustmentrow r ON r.batch_id = b.id AND r.fault = ''
        JOIN members_member m ON m.id = r.member_id
        JOIN orgs_orgunit u ON u.id = m.home_unit_id
        JOIN points_pointtype t ON t.id = r.point_type_id
        LEFT JOIN points_account a ON a.member_id = r.member_id AND a.point_type_id = r.point_type_id
        LEFT JOIN LATERAL (
            SELECT sum(l.remaining - l.held) AS points FROM points_lot l
            WHERE l.account_id = a.id AND l.remaining > 0 AND l.remaining > l.held AND NOT l.is_pending
              AND (l.expires_at IS NULL OR l.expires_at > as_of)
        ) spendable ON r.points < 0
        WHERE b.id = points_batch_failing.batch
    ) looked WHERE fault IS NOT NULL
$$;
