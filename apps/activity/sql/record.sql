-- Records events whose members exist, in one go for one or thousands: locks the members in order, writes events,
-- lines and daily facts. One row for each event of the batch: its member (null: unknown or closed) and, where the
-- event is new, its id (null: its key was there before, in this source).
CREATE FUNCTION activity_record(batch jsonb, source bigint, received timestamptz)
RETURNS TABLE (n int, member_id bigint, event_id bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM 1 FROM members_member m WHERE m.id IN (
        SELECT coalesce(e.member, i.member_id)
        FROM jsonb_to_recordset(batch) AS e(member bigint, idk text, idh text)
        LEFT JOIN members_identifier i ON e.member IS NULL AND i.kind = e.idk AND i.value_hash = decode(e.idh, 'hex'))
    ORDER BY m.id FOR NO KEY UPDATE;

    RETURN QUERY
    WITH incoming AS MATERIALIZED (
        SELECT e.*, m.id AS found
        FROM jsonb_to_recordset(batch) AS e(
            n int, key text, hash text, member bigint, idk text, idh text, program bigint, unit bigint, kind text,
            at timestamptz, day date, amount numeric, channel text, order_no text, refund_of bigint, device text,
            attrs jsonb, lines jsonb)
        LEFT JOIN members_identifier i ON e.member IS NULL AND i.kind = e.idk AND i.value_hash = decode(e.idh, 'hex')
        LEFT JOIN members_member m ON m.id = coalesce(e.member, i.member_id) AND m.state = 'active'
    ), recorded AS (
        INSERT INTO activity_event (source_id, key, content_hash, program_id, member_id, org_unit_id, kind, occurred_at,
                                    day, amount, channel, order_no, refund_of_id, device, attributes, received_at)
        SELECT source, key, decode(hash, 'hex'), program, found, unit, kind, at, day, amount, channel, order_no,
               refund_of, device, attrs, received
        FROM incoming WHERE found IS NOT NULL ORDER BY key
        ON CONFLICT (source_id, key) DO NOTHING
        RETURNING id, key, member_id AS member, program_id AS program, day, kind, amount
    ), lined AS (
        INSERT INTO activity_eventline (event_id, line_no, sku, category, quantity, amount)
        SELECT recorded.id, l.n, l.s, l.c, l.q, l.a
        FROM recorded JOIN incoming USING (key)
        CROSS JOIN LATERAL jsonb_to_recordset(incoming.lines) AS l(n int, s text, c text, q numeric, a numeric)
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
    SELECT incoming.n, incoming.found, recorded.id FROM incoming LEFT JOIN recorded USING (key);
END $$;
