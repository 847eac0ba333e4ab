-- The limit of a batch: the same rows, from three staging tables that were filled by COPY.
CREATE UNLOGGED TABLE benchmark_event (
    key text, hash bytea, idk text, idh bytea, unit bigint, at timestamptz, day date, amount numeric, channel text,
    order_no text, points bigint, answer jsonb);
CREATE UNLOGGED TABLE benchmark_line (key text, n int, sku text, category text, quantity numeric, amount numeric);
CREATE UNLOGGED TABLE benchmark_point (key text, effect int, points bigint, rule bigint, version bigint, capped boolean);
GRANT ALL ON benchmark_event, benchmark_line, benchmark_point TO PUBLIC;
CREATE FUNCTION benchmark_award_batch(source bigint, program bigint, point_type bigint, cost bigint, received timestamptz)
RETURNS void LANGUAGE sql AS $$
    WITH locked AS MATERIALIZED (
        SELECT m.id, i.value_hash FROM members_identifier i JOIN members_member m ON m.id = i.member_id
        WHERE (i.kind, i.value_hash) IN (SELECT idk, idh FROM benchmark_event) AND m.state = 'active'
        ORDER BY m.id FOR NO KEY UPDATE OF m
    ), made AS (
        INSERT INTO points_account (member_id, point_type_id, balance, pending, held, debt, earned_total)
        SELECT locked.id, point_type, 0, 0, 0, 0, 0 FROM locked
        WHERE NOT EXISTS (SELECT 1 FROM points_account a WHERE a.member_id = locked.id AND a.point_type_id = point_type)
        RETURNING id, member_id
    ), account AS MATERIALIZED (
        SELECT id, member_id FROM made UNION ALL
        SELECT a.id, a.member_id FROM points_account a JOIN locked ON a.member_id = locked.id AND point_type_id = point_type
    ), numbered AS MATERIALIZED (
        SELECT e.*, locked.id AS member, account.id AS account, nextval('activity_event_id_seq') AS event
        FROM benchmark_event e JOIN locked ON value_hash = idh JOIN account ON member_id = locked.id
    ), recorded AS (
        INSERT INTO activity_event (id, source_id, key, content_hash, program_id, member_id, org_unit_id, kind,
                                    occurred_at, day, amount, channel, order_no, device, attributes, received_at)
        SELECT event, source, key, hash, program, member, unit, 'purchase', at, day, amount, channel, order_no, '', '{}',
               received FROM numbered
    ), lined AS (
        INSERT INTO activity_eventline (event_id, line_no, sku, category, quantity, amount)
        SELECT event, n, sku, category, quantity, l.amount FROM benchmark_line l JOIN numbered USING (key)
    ), counted AS (
        INSERT INTO activity_memberday AS known
            (member_id, program_id, day, events, purchases, spent, refunds, refunded, check_ins)
        SELECT member, program, day, count(*), count(*), sum(amount), 0, 0, 0 FROM numbered GROUP BY member, day
        ON CONFLICT (member_id, program_id, day) DO UPDATE SET events = known.events + excluded.events,
            purchases = known.purchases + excluded.purchases, spent = known.spent + excluded.spent
    ), earned AS MATERIALIZED (
        SELECT p.*, event, member, account, unit, day, at, nextval('points_posting_id_seq') AS posting,
               nextval('points_lot_id_seq') AS lot
        FROM benchmark_point p JOIN numbered USING (key)
    ), posted AS (
        INSERT INTO points_posting (id, key, account_id, member_id, org_unit_id, kind, points, pending_points, event_id,
                                    reason, day, posted_at)
        SELECT posting, 'event:' || event || ':' || version || ':' || effect, account, member, unit, 'earn', points, 0,
               event, '', day, at FROM earned
    ), lots AS (
        INSERT INTO points_lot (id, account_id, member_id, org_unit_id, funder_id, rule_id, rule_version_id, event_id,
                                unit_cost_micros, earned, remaining, held, is_pending, earned_at)
        SELECT lot, account, member, unit, unit, rule, version, event, cost, points, points, 0, false, at FROM earned
    ), entries AS (
        INSERT INTO points_entry (posting_id, account_id, member_id, lot_id, kind, points, pending_points, cost_micros,
                                  program_id, org_unit_id, rule_id, rule_version_id, day, posted_at)
        SELECT posting, account, member, lot, 'earn', points, 0, points * cost, program, unit, rule, version, day, at
        FROM earned
    ), counters AS (
        INSERT INTO rules_counter AS known (member_id, rule_id, period, start, points, times, amount_micros,
                                            pieces_micros, cost_micros)
        SELECT member, rule, 'day', day, sum(points), count(*), 0, 0, 0 FROM earned WHERE capped GROUP BY member, rule, day
        ON CONFLICT (member_id, start, period, rule_id)
            DO UPDATE SET points = known.points + excluded.points, times = known.times + excluded.times
    )
    INSERT INTO rules_outcome (event_id, member_id, points, answer)
    SELECT event, member, points, answer || jsonb_build_object('event', event) FROM numbered;

    UPDATE points_account SET balance = balance + total, earned_total = earned_total + total
    FROM (SELECT m.id, sum(e.points) AS total FROM benchmark_event e
          JOIN members_identifier i ON i.kind = e.idk AND i.value_hash = e.idh JOIN members_member m ON m.id = i.member_id
          GROUP BY m.id) AS sums
    WHERE member_id = sums.id AND point_type_id = point_type;
$$;
