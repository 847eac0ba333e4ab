-- Opening balances that a file of members brings: lots with their own day, expiry and cost, under a key that a member has
-- once per source. Those with debt are left to apps.points.services.opening, which pays it off.

-- What the keys of a member's opening balances from one source begin with: one that was taken back may come again.
CREATE OR REPLACE FUNCTION points_opening_key(source text, point_type bigint, member bigint) RETURNS text
LANGUAGE sql STABLE AS $$ SELECT 'opening:' || source || ':' || point_type || ':' || member || '/' $$;

CREATE OR REPLACE FUNCTION points_open_balances(job bigint, first int, last int, at timestamptz, local_day date) RETURNS bigint
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    program bigint;
    source text;
    author bigint;
    file text;
    posted bigint;
BEGIN
    SELECT j.program_id, j.source, j.created_by_id, j.file_name INTO program, source, author, file
    FROM members_memberimport j WHERE j.id = job;

    -- New members have no accounts that anybody could be at: theirs are made below, with what they bring.
    PERFORM points_open_accounts(array_agg(r.member_id ORDER BY r.number), array_agg(t.id ORDER BY r.number))
    FROM members_memberrow r CROSS JOIN LATERAL jsonb_each(r.amounts) AS a(code, amount)
    JOIN points_pointtype t ON t.program_id = program AND t.code = a.code
    WHERE r.job_id = job AND r.number BETWEEN first AND last AND r.is_done AND r.state <> 'new'
      AND (a.amount->>'points')::bigint <> 0;

    -- A new statement: it sees what others committed before we had the locks.
    WITH wanted AS MATERIALIZED (
        SELECT nextval('points_posting_id_seq') AS posting, nextval('points_lot_id_seq') AS lot,
               coalesce(account.id, nextval('points_account_id_seq')) AS account, account.id IS NULL AS is_first,
               t.id AS type, r.member_id AS member, m.home_unit_id AS unit, coalesce(t.funder_id, m.home_unit_id) AS funder,
               points_opening_key(source, t.id, r.member_id) || coalesce((
                   SELECT max(back.id)::text FROM points_posting back JOIN points_posting p ON p.id = back.reverses_id
                   WHERE back.kind = 'reverse' AND p.account_id = account.id AND p.kind = 'opening'
               ), '') AS key,
               (a.amount->>'points')::bigint AS points,
               (a.amount->>'cost')::bigint AS cost, (a.amount->>'earned_at')::timestamptz AS earned_at,
               (a.amount->>'expires_at')::timestamptz AS expires_at, (a.amount->>'lapses_at')::timestamptz AS lapses_at
        FROM members_memberrow r CROSS JOIN LATERAL jsonb_each(r.amounts) AS a(code, amount)
        JOIN points_pointtype t ON t.program_id = program AND t.code = a.code
        JOIN members_member m ON m.id = r.member_id
        LEFT JOIN points_account account ON account.member_id = r.member_id AND account.point_type_id = t.id
        WHERE r.job_id = job AND r.number BETWEEN first AND last AND r.is_done AND (a.amount->>'points')::bigint <> 0
          AND (account.id IS NULL OR account.debt = 0 AND ((a.amount->>'points')::bigint > 0 OR account.balance = 0)
                                 AND NOT EXISTS (
              SELECT FROM points_posting p
              WHERE p.account_id = account.id AND p.kind = 'opening'
                AND starts_with(p.key, points_opening_key(source, t.id, r.member_id))
                AND NOT EXISTS (SELECT FROM points_posting b WHERE b.reverses_id = p.id AND b.kind = 'reverse')))
        ORDER BY r.number
    ), opened AS (
        INSERT INTO points_account (id, member_id, point_type_id, balance, pending, held, debt, earned_total, lapses_at)
        SELECT account, member, type, points, 0, 0, greatest(-points, 0), greatest(points, 0), lapses_at
        FROM wanted WHERE is_first
    ), posted AS (
        INSERT INTO points_posting (id, key, account_id, member_id, org_unit_id, kind, points, pending_points, actor_id,
                                    reason, day, posted_at)
        SELECT posting, key, account, member, unit, 'opening', points, 0, author, file, local_day, at FROM wanted
    ), lots AS (
        INSERT INTO points_lot (id, account_id, member_id, org_unit_id, funder_id, unit_cost_micros, earned, remaining,
                                held, is_pending, earned_at, expires_at)
        SELECT lot, account, member, unit, funder, cost, points, points, 0, false, earned_at, expires_at
        FROM wanted WHERE points > 0
    ), entries AS (
        INSERT INTO points_entry (posting_id, account_id, member_id, lot_id, kind, points, pending_points, cost_micros,
                                  program_id, org_unit_id, day, posted_at)
        SELECT posting, account, member, CASE WHEN points > 0 THEN lot END, 'opening', points, 0, points * cost,
               program, unit, local_day, at
        FROM wanted
    ), settled AS (
        UPDATE points_account a SET
            balance = a.balance + w.points, earned_total = a.earned_total + greatest(w.points, 0),
            debt = a.debt + greatest(-w.points, 0), lapses_at = coalesce(w.lapses_at, a.lapses_at)
        FROM wanted w WHERE a.id = w.account AND NOT w.is_first
    )
    SELECT count(*) INTO posted FROM wanted;
    RETURN posted;
END $$;

-- Takes the opening balances that a file brought back as far as they are still there. Returns how many points went, and how
-- many of what was opened are gone for good: spent, expired, or set aside for a redemption under way.
--
-- Each table that is joined is cut down by its index first, so that no plan can be worse than linear, as where members are
-- taken in (apps/members/sql/importing.sql).
CREATE OR REPLACE FUNCTION points_take_openings_back(job bigint, first int, last int, at timestamptz, local_day date)
RETURNS TABLE (taken bigint, lost bigint)
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET enable_nestloop = off AS $$
#variable_conflict use_column
DECLARE
    file members_memberimport := (SELECT j FROM members_memberimport j WHERE j.id = job);
    types bigint[] := ARRAY(SELECT id FROM points_pointtype WHERE program_id = file.program_id);
    members bigint[] := ARRAY(
        SELECT r.member_id FROM members_memberrow r
        WHERE r.job_id = job AND r.number BETWEEN first AND last AND r.is_done AND r.amounts <> '{}');
    accounts bigint[];
    openings bigint[];
    lots bigint[];
BEGIN
    accounts := ARRAY(
        SELECT id FROM points_account WHERE member_id = ANY (members) AND point_type_id = ANY (types)
        ORDER BY id FOR NO KEY UPDATE);
    openings := ARRAY(
        SELECT p.id FROM points_posting p JOIN points_account a ON a.id = p.account_id
        WHERE p.account_id = ANY (accounts) AND a.id = ANY (accounts) AND p.kind = 'opening'
          AND starts_with(p.key, points_opening_key(file.source, a.point_type_id, a.member_id))
          -- An earlier file of the source may have opened it.
          AND p.posted_at >= file.started_at AND p.reason = file.file_name);
    openings := ARRAY(
        SELECT unnest(openings)
        EXCEPT SELECT reverses_id FROM points_posting WHERE reverses_id = ANY (openings) AND kind = 'reverse');
    lots := ARRAY(SELECT lot_id FROM points_entry WHERE posting_id = ANY (openings) AND points > 0 AND lot_id IS NOT NULL);
    RETURN QUERY
    WITH opened AS MATERIALIZED (
        SELECT p.id AS opening, nextval('points_posting_id_seq') AS posting, p.account_id, p.member_id, p.org_unit_id,
               p.points, l.id AS lot, l.unit_cost_micros AS cost,
               CASE WHEN p.points > 0 THEN l.remaining - l.held ELSE -least(-p.points, a.debt) END AS left_over
        FROM points_posting p JOIN points_account a ON a.id = p.account_id
        LEFT JOIN points_entry e ON e.posting_id = p.id AND e.posting_id = ANY (openings) AND e.lot_id = ANY (lots)
                                AND e.points > 0
        LEFT JOIN points_lot l ON l.id = e.lot_id AND l.id = ANY (lots)
        WHERE p.id = ANY (openings) AND a.id = ANY (accounts)
    ), posted AS (
        INSERT INTO points_posting (id, key, account_id, member_id, org_unit_id, kind, points, pending_points,
                                    reverses_id, reason, day, posted_at)
        SELECT posting, 'opening-back:' || opening, account_id, member_id, org_unit_id, 'reverse', -left_over, 0, opening,
               '', local_day, at
        FROM opened WHERE left_over <> 0
    ), entries AS (
        INSERT INTO points_entry (posting_id, account_id, member_id, lot_id, kind, points, pending_points, cost_micros,
                                  program_id, org_unit_id, day, posted_at)
        SELECT posting, account_id, member_id, lot, 'reverse', -left_over, 0, -left_over * coalesce(cost, 0),
               file.program_id, org_unit_id, local_day, at
        FROM opened WHERE left_over <> 0
    ), lots AS (
        UPDATE points_lot l SET remaining = l.remaining - o.left_over
        FROM opened o WHERE l.id = ANY (lots) AND l.id = o.lot AND o.left_over > 0
    ), settled AS (
        UPDATE points_account a SET balance = a.balance - o.left_over, debt = a.debt + least(o.left_over, 0)
        FROM opened o WHERE a.id = ANY (accounts) AND a.id = o.account_id AND o.left_over <> 0
    )
    SELECT coalesce(sum(left_over) FILTER (WHERE points > 0), 0)::bigint,
           coalesce(sum(points - left_over) FILTER (WHERE points > 0), 0)::bigint
    FROM opened;
END $$;
