-- Opens and locks the accounts of members, making those that are missing; in order, so that nobody waits in a ring.
CREATE OR REPLACE FUNCTION points_open_accounts(members bigint[], types bigint[])
RETURNS SETOF points_account LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO points_account (member_id, point_type_id, balance, pending, held, debt, earned_total)
    SELECT m, t, 0, 0, 0, 0, 0
    FROM (SELECT DISTINCT m, t FROM unnest(members, types) AS pair(m, t)) wanted
    WHERE NOT EXISTS (SELECT 1 FROM points_account a WHERE a.member_id = m AND a.point_type_id = t)
    ORDER BY m, t
    ON CONFLICT (member_id, point_type_id) DO NOTHING;
    RETURN QUERY
        SELECT a.* FROM points_account a
        WHERE (a.member_id, a.point_type_id) IN (SELECT m, t FROM unnest(members, types) AS pair(m, t))
        ORDER BY a.id FOR NO KEY UPDATE;
END $$;

-- Writes a plan of apps.points.book over accounts that the caller has locked. Returns the postings' ids in order.
CREATE OR REPLACE FUNCTION points_post(plan jsonb) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    posting_ids bigint[] := '{}';
    lot_ids bigint[] := '{}';
BEGIN
    IF jsonb_array_length(plan->'postings') > 0 THEN
        SELECT array_agg(nextval('points_posting_id_seq')) INTO posting_ids
        FROM generate_series(1, jsonb_array_length(plan->'postings'));
        INSERT INTO points_posting (id, key, account_id, member_id, org_unit_id, kind, points, pending_points,
                                    event_id, reverses_id, actor_id, reason, content_hash, day, posted_at)
        SELECT posting_ids[n], p->>'key', (p->>'account')::bigint, (p->>'member')::bigint, (p->>'unit')::bigint,
               p->>'kind', (p->>'points')::bigint, (p->>'pending')::bigint, (p->>'event')::bigint,
               (p->>'reverses')::bigint, (p->>'actor')::bigint, p->>'reason', decode(p->>'hash', 'hex'),
               (p->>'day')::date, (p->>'at')::timestamptz
        FROM jsonb_array_elements(plan->'postings') WITH ORDINALITY AS row(p, n);
    END IF;
    IF jsonb_array_length(plan->'lots') > 0 THEN
        SELECT array_agg(nextval('points_lot_id_seq')) INTO lot_ids
        FROM generate_series(1, jsonb_array_length(plan->'lots'));
        INSERT INTO points_lot (id, account_id, member_id, org_unit_id, funder_id, rule_id, rule_version_id, event_id,
                                unit_cost_micros, earned, remaining, held, is_pending, earned_at, releases_at, expires_at,
                                moved_from_id)
        SELECT lot_ids[n], (l->>'account')::bigint, (l->>'member')::bigint, (l->>'unit')::bigint,
               (l->>'funder')::bigint, (l->>'rule')::bigint, (l->>'version')::bigint, (l->>'event')::bigint,
               (l->>'cost')::bigint, (l->>'earned')::bigint, (l->>'remaining')::bigint, 0, (l->>'pending')::boolean,
               (l->>'earned_at')::timestamptz, (l->>'releases_at')::timestamptz, (l->>'expires_at')::timestamptz,
               (l->>'moved_from')::bigint
        FROM jsonb_array_elements(plan->'lots') WITH ORDINALITY AS row(l, n);
    END IF;
    IF jsonb_array_length(plan->'entries') > 0 THEN
        INSERT INTO points_entry (posting_id, account_id, member_id, lot_id, kind, points, pending_points, cost_micros,
                                  program_id, org_unit_id, rule_id, rule_version_id, day, posted_at)
        SELECT posting_ids[(e->>'posting')::int], (e->>'account')::bigint, (e->>'member')::bigint,
               coalesce((e->>'lot')::bigint, lot_ids[(e->>'new_lot')::int]), e->>'kind', (e->>'points')::bigint,
               (e->>'pending')::bigint, (e->>'cost')::bigint, (e->>'program')::bigint, (e->>'unit')::bigint,
               (e->>'rule')::bigint, (e->>'version')::bigint, (e->>'day')::date, (e->>'at')::timestamptz
        FROM jsonb_array_elements(plan->'entries') AS row(e);
    END IF;
    IF jsonb_array_length(plan->'lot_changes') > 0 THEN
        UPDATE points_lot SET remaining = points_lot.remaining + c.remaining, held = points_lot.held + c.held,
                              is_pending = is_pending AND NOT c.settled
        FROM jsonb_to_recordset(plan->'lot_changes') AS c(id bigint, remaining bigint, held bigint, settled boolean)
        WHERE points_lot.id = c.id;
    END IF;
    IF jsonb_array_length(plan->'accounts') > 0 THEN
        UPDATE points_account SET
            balance = points_account.balance + c.balance, pending = points_account.pending + c.pending,
            held = points_account.held + c.held, debt = points_account.debt + c.debt,
            earned_total = earned_total + c.earned, lapses_at = coalesce(c.lapses_at, points_account.lapses_at)
        FROM jsonb_to_recordset(plan->'accounts') AS c(
            id bigint, balance bigint, pending bigint, held bigint, debt bigint, earned bigint, lapses_at timestamptz)
        WHERE points_account.id = c.id;
    END IF;
    RETURN posting_ids;
END $$;

-- Expires what is due of up to `most` accounts of a programme, in one go: lots past their day, and every lot of an
-- account that lapsed by inactivity. Accounts somebody else works on are left for the next go. Points held for a
-- redemption stay until it ends. Returns how many accounts, lots and points.
CREATE OR REPLACE FUNCTION points_expire(program bigint, as_of timestamptz, local_day date, most int)
RETURNS TABLE (accounts bigint, lots bigint, points bigint) LANGUAGE plpgsql AS $$
DECLARE
    chosen bigint[];
BEGIN
    SELECT array_agg(id) INTO chosen FROM (
        SELECT a.id FROM points_account a
        WHERE a.id IN (
            SELECT due.account_id FROM (
                SELECT l.account_id FROM points_lot l
                JOIN points_account owner ON owner.id = l.account_id
                JOIN points_pointtype t ON t.id = owner.point_type_id AND t.program_id = program
                WHERE l.expires_at <= as_of AND l.remaining > 0 AND l.remaining > l.held AND NOT l.is_pending
                ORDER BY l.expires_at, l.account_id LIMIT most
            ) due
            UNION
            SELECT lapsed.id FROM (
                SELECT l.id FROM points_account l
                JOIN points_pointtype t ON t.id = l.point_type_id AND t.program_id = program
                WHERE l.lapses_at <= as_of AND l.balance + l.debt > l.held
                ORDER BY l.lapses_at LIMIT most
            ) lapsed
        )
        ORDER BY a.id FOR NO KEY UPDATE SKIP LOCKED
    ) locked;
    IF chosen IS NULL THEN
        RETURN QUERY SELECT 0::bigint, 0::bigint, 0::bigint;
        RETURN;
    END IF;
    -- A new statement: it sees what others committed before we had the locks.
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT l.id, l.account_id, l.member_id, l.org_unit_id, l.rule_id, l.rule_version_id, l.unit_cost_micros,
               l.remaining - l.held AS gone
        FROM points_lot l JOIN points_account a ON a.id = l.account_id
        WHERE l.account_id = ANY (chosen) AND l.remaining > 0 AND l.remaining > l.held AND NOT l.is_pending
          AND (l.expires_at <= as_of OR a.lapses_at <= as_of)
    ), emptied AS (
        UPDATE points_lot SET remaining = points_lot.held FROM due WHERE points_lot.id = due.id
    ), posted AS (
        INSERT INTO points_posting (key, account_id, member_id, org_unit_id, kind, points, pending_points, reason,
                                    day, posted_at)
        SELECT 'expire:' || min(id) || ':' || extract(epoch FROM as_of)::bigint, account_id, min(member_id),
               min(org_unit_id), 'expire', -sum(gone), 0, '', local_day, as_of
        FROM due GROUP BY account_id
        RETURNING id, account_id, points_posting.points
    ), written AS (
        INSERT INTO points_entry (posting_id, account_id, member_id, lot_id, kind, points, pending_points, cost_micros,
                                  program_id, org_unit_id, rule_id, rule_version_id, day, posted_at)
        SELECT posted.id, due.account_id, due.member_id, due.id, 'expire', -due.gone, 0,
               -due.gone * due.unit_cost_micros, program, due.org_unit_id, due.rule_id, due.rule_version_id,
               local_day, as_of
        FROM due JOIN posted USING (account_id)
    ), settled AS (
        UPDATE points_account SET balance = points_account.balance + posted.points
        FROM posted WHERE points_account.id = posted.account_id
    )
    SELECT count(DISTINCT account_id), count(*), coalesce(sum(gone), 0)::bigint FROM due;
END $$;
