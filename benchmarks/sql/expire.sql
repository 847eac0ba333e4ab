-- The limit of the nightly expiry: one chunk of one day's lots in one statement. How many there were.
WITH due AS MATERIALIZED (
    SELECT id, account_id, member_id, org_unit_id, unit_cost_micros, remaining FROM points_lot
    WHERE expires_at = %(day)s AND remaining > 0 ORDER BY account_id LIMIT %(chunk)s FOR NO KEY UPDATE SKIP LOCKED
), emptied AS (
    UPDATE points_lot SET remaining = 0 FROM due WHERE points_lot.id = due.id
), posted AS (
    INSERT INTO points_posting (key, account_id, member_id, org_unit_id, kind, points, pending_points, reason, day,
                                posted_at)
    SELECT 'expire:' || min(id), account_id, min(member_id), min(org_unit_id), 'expire', -sum(remaining), 0, '',
           %(local)s::date, %(day)s
    FROM due GROUP BY account_id RETURNING id, account_id, points
), written AS (
    INSERT INTO points_entry (posting_id, account_id, member_id, lot_id, kind, points, pending_points, cost_micros,
                              program_id, org_unit_id, day, posted_at)
    SELECT posted.id, account_id, member_id, due.id, 'expire', -remaining, 0, -remaining * unit_cost_micros,
           %(program)s, org_unit_id, %(local)s::date, %(day)s
    FROM due JOIN posted USING (account_id)
), settled AS (
    UPDATE points_account SET balance = balance + posted.points FROM posted WHERE points_account.id = posted.account_id
)
SELECT count(*) FROM due
