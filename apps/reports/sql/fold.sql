-- Which transactions have ended by now. The one that asks has not, whatever it wrote so far.
CREATE FUNCTION reports_ended() RETURNS pg_snapshot LANGUAGE sql VOLATILE AS $$
    SELECT format('%s:%s:%s', pg_snapshot_xmin(present), pg_snapshot_xmax(present), (
        SELECT string_agg(running::text, ',' ORDER BY running)
        FROM (SELECT pg_snapshot_xip(present) UNION SELECT pg_current_xact_id()) AS open(running)
        WHERE running < pg_snapshot_xmax(present)
    ))::pg_snapshot
    FROM pg_current_snapshot() present
$$;

-- Adds to the facts the entries whose transactions had ended at `upto` but not at `since`. Returns how many.
CREATE FUNCTION reports_fold(since pg_snapshot, upto pg_snapshot) RETURNS bigint LANGUAGE sql AS $$
    WITH sums AS (
        SELECT entry.program_id, entry.day, entry.org_unit_id, account.point_type_id,
               coalesce(entry.rule_id, 0) AS rule_id, entry.kind, count(*) AS entries, sum(entry.points) AS points,
               sum(entry.pending_points) AS pending_points, sum(entry.cost_micros) AS cost_micros
        FROM points_entry entry JOIN points_account account ON account.id = entry.account_id
        WHERE entry.transaction >= pg_snapshot_xmin(since) AND entry.transaction < pg_snapshot_xmax(upto)
          AND NOT pg_visible_in_snapshot(entry.transaction, since)
          AND pg_visible_in_snapshot(entry.transaction, upto)
        GROUP BY 1, 2, 3, 4, 5, 6
    ), added AS (
        INSERT INTO reports_dailyfact AS fact (program_id, day, org_unit_id, point_type_id, rule_id, kind, entries,
                                               points, pending_points, cost_micros)
        SELECT * FROM sums
        ON CONFLICT (program_id, day, org_unit_id, point_type_id, rule_id, kind) DO UPDATE SET
            entries = fact.entries + excluded.entries, points = fact.points + excluded.points,
            pending_points = fact.pending_points + excluded.pending_points,
            cost_micros = fact.cost_micros + excluded.cost_micros
    )
    SELECT coalesce(sum(entries), 0)::bigint FROM sums
$$;
