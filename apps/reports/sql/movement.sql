-- What is in the facts: the entries whose transactions had ended as this snapshot says. Nothing where none was folded
-- yet, and where the facts came from another cluster with a restore: its transactions have other numbers.
CREATE FUNCTION reports_folded() RETURNS pg_snapshot LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT mark.snapshot::pg_snapshot FROM reports_watermark mark
        WHERE mark.name = 'ledger' AND mark.cluster = (SELECT system_identifier FROM pg_control_system())
    ), '1:1:'::pg_snapshot)
$$;

-- The facts and, one by one, the entries that are not in them: one statement reads both as of one moment.
CREATE VIEW reports_movement AS
    SELECT fact.id, fact.program_id, fact.day, fact.org_unit_id, fact.point_type_id, fact.rule_id, fact.kind,
           fact.entries, fact.points, fact.pending_points, fact.cost_micros
    FROM reports_dailyfact fact
    WHERE (SELECT pg_snapshot_xmax(reports_folded())) > '1'::xid8
    UNION ALL
    SELECT -entry.id, entry.program_id, entry.day, entry.org_unit_id, account.point_type_id,
           coalesce(entry.rule_id, 0), entry.kind, 1, entry.points, entry.pending_points, entry.cost_micros
    FROM points_entry entry JOIN points_account account ON account.id = entry.account_id
    WHERE entry.transaction >= (SELECT pg_snapshot_xmin(reports_folded()))
      AND NOT pg_visible_in_snapshot(entry.transaction, (SELECT reports_folded()));
