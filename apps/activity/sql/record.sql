DROP FUNCTION IF EXISTS activity_record(jsonb, bigint, timestamptz);
-- Records a batch of events, one or thousands, in one statement: finds and locks their members in order, writes
-- events, lines and daily facts. One row for each event of the batch: its member with what conditions ask of members
-- (null: unknown or closed) and, where the event is new, its id (null: its key was there before, in this source).
CREATE OR REPLACE FUNCTION activity_record(batch jsonb, source bigint, received timestamptz)
RETURNS TABLE (n int, day date, member_id bigint, home_unit_id bigint, joined_on date, attributes jsonb,
               birth_day smallint, birth_year smallint, was_brought boolean, event_id bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH told AS MATERIALIZED (
        SELECT e.*, CASE WHEN e.mid IS NULL THEN i.member_id ELSE (
                   SELECT coalesce(m.merged_into_id, m.id) FROM members_member m WHERE m.id = e.mid) END AS named
        FROM jsonb_to_recordset(batch) AS e(
            n int, key text, hash text, idk text, idh text, mid bigint, program bigint, unit bigint, kind text, at timestamptz,
            day date, amount numeric, channel text, order_no text, refund_of bigint, device text, attrs jsonb, lines jsonb)
        LEFT JOIN members_identifier i ON i.kind = e.idk AND i.value_hash = decode(e.idh, 'hex')
    ), found AS MATERIALIZED (
        SELECT m.id, m.home_unit_id, m.joined_on, m.attributes, m.birth_day, m.birth_year,
               m.brought_by_id IS NOT NULL AS was_brought
        FROM members_member m WHERE m.id IN (SELECT named FROM told) AND m.state = 'active'
        ORDER BY m.id FOR NO KEY UPDATE
    ), recorded AS (
        INSERT INTO activity_event (source_id, key, content_hash, program_id, member_id, org_unit_id, kind, occurred_at,
                                    day, amount, channel, order_no, refund_of_id, device, attributes, received_at)
        SELECT source, key, decode(hash, 'hex'), program, found.id, unit, kind, at, day, amount, channel, order_no,
               refund_of, device, attrs, received
        FROM told JOIN found ON found.id = named ORDER BY key
        ON CONFLICT (source_id, key) DO NOTHING
        RETURNING id, key, member_id AS member, program_id AS program, day, kind, amount
    ), lined AS (
        INSERT INTO activity_eventline (event_id, line_no, sku, category, quantity, amount, brand, tax, is_shipping)
        SELECT recorded.id, l.n, l.s, l.c, l.q, l.a, coalesce(l.b, ''), l.t, coalesce(l.f, false)
        FROM recorded JOIN told USING (key)
        CROSS JOIN LATERAL jsonb_to_recordset(told.lines)
            AS l(n int, s text, c text, q numeric, a numeric, b text, t numeric, f boolean)
    ), counted AS (
        INSERT INTO activity_memberday AS known
            (member_id, program_id, day, events, purchases, spent, refunds, refunded, check_ins)
        SELECT member, program, day, count(*), count(*) FILTER (WHERE kind = 'purchase'),
               coalesce(sum(amount) FILTER (WHERE kind = 'purchase'), 0), count(*) FILTER (WHERE kind = 'refund'),
               coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0), count(*) FILTER (WHERE kind = 'check_in')
        FROM recorded GROUP BY member, program, day ORDER BY member, program, day
        ON CONFLICT (member_id, program_id, day) DO UPDATE SET
            events = known.events + excluded.events, purchases = known.purchases + excluded.purchases,
            spent = known.spent + excluded.spent, refunds = known.refunds + excluded.refunds,
            refunded = known.refunded + excluded.refunded, check_ins = known.check_ins + excluded.check_ins
    )
    SELECT told.n, told.day, found.id, found.home_unit_id, found.joined_on, found.attributes, found.birth_day,
           found.birth_year, found.was_brought, recorded.id
    FROM told LEFT JOIN found ON found.id = named LEFT JOIN recorded USING (key);
END $$;
