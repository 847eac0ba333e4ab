-- The limit of one award: the rows that the main road writes for one purchase, in one function, its points known.
CREATE FUNCTION benchmark_award(
    source bigint, key text, hash bytea, idk text, idh bytea, program bigint, unit bigint, at timestamptz, day date,
    amount numeric, channel text, order_no text, received timestamptz,
    skus text[], categories text[], quantities numeric[], amounts numeric[],
    kind bigint, cost bigint, earned bigint[], rules bigint[], versions bigint[], capped boolean[], answer jsonb
) RETURNS bigint LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    member bigint;
    event bigint;
    account bigint;
    total bigint := 0;
    points bigint;
    posting bigint;
    lot bigint;
    settled bigint;
BEGIN
    SELECT m.id INTO member FROM members_identifier i JOIN members_member m ON m.id = i.member_id
    WHERE i.kind = idk AND i.value_hash = idh AND m.state = 'active' FOR NO KEY UPDATE OF m;

    INSERT INTO activity_event (source_id, key, content_hash, program_id, member_id, org_unit_id, kind, occurred_at,
                                day, amount, channel, order_no, device, attributes, received_at)
    VALUES (source, key, hash, program, member, unit, 'purchase', at, day, amount, channel, order_no, '', '{}', received)
    ON CONFLICT ON CONSTRAINT event_key_once_per_source DO NOTHING RETURNING id INTO event;
    INSERT INTO activity_eventline (event_id, line_no, sku, category, quantity, amount)
    SELECT event, n, s, c, q, a FROM unnest(skus, categories, quantities, amounts) WITH ORDINALITY AS l(s, c, q, a, n);
    INSERT INTO activity_memberday AS known
        (member_id, program_id, day, events, purchases, spent, refunds, refunded, check_ins)
    VALUES (member, program, day, 1, 1, amount, 0, 0, 0)
    ON CONFLICT ON CONSTRAINT memberday_once DO UPDATE SET
        events = known.events + 1, purchases = known.purchases + 1, spent = known.spent + excluded.spent;

    FOREACH points IN ARRAY earned LOOP total := total + points; END LOOP;
    UPDATE points_account SET balance = balance + total, earned_total = earned_total + total
    WHERE member_id = member AND point_type_id = kind RETURNING id, balance INTO account, settled;
    IF NOT FOUND THEN
        INSERT INTO points_account (member_id, point_type_id, balance, pending, held, debt, earned_total)
        VALUES (member, kind, total, 0, 0, 0, total) RETURNING id, balance INTO account, settled;
    END IF;
    FOR n IN 1 .. cardinality(earned) LOOP
        INSERT INTO points_posting (key, account_id, member_id, org_unit_id, kind, points, pending_points, event_id,
                                    reason, day, posted_at)
        VALUES ('event:' || event || ':' || versions[n] || ':0', account, member, unit, 'earn', earned[n], 0, event,
                '', day, at) RETURNING id INTO posting;
        INSERT INTO points_lot (account_id, member_id, org_unit_id, funder_id, rule_id, rule_version_id, event_id,
                                unit_cost_micros, earned, remaining, held, is_pending, earned_at)
        VALUES (account, member, unit, unit, rules[n], versions[n], event, cost, earned[n], earned[n], 0, false, at)
        RETURNING id INTO lot;
        INSERT INTO points_entry (posting_id, account_id, member_id, lot_id, kind, points, pending_points, cost_micros,
                                  program_id, org_unit_id, rule_id, rule_version_id, day, posted_at)
        VALUES (posting, account, member, lot, 'earn', earned[n], 0, earned[n] * cost, program, unit, rules[n],
                versions[n], day, at);
        IF capped[n] THEN
            INSERT INTO rules_counter AS known (member_id, rule_id, period, start, points, times, amount_micros,
                                                pieces_micros, cost_micros)
            VALUES (member, rules[n], 'day', day, earned[n], 1, 0, 0, 0)
            ON CONFLICT ON CONSTRAINT counter_once DO UPDATE
                SET points = known.points + excluded.points, times = known.times + excluded.times;
        END IF;
    END LOOP;
    INSERT INTO rules_outcome (event_id, member_id, points, answer)
    VALUES (event, member, total, answer || jsonb_build_object('event', event, 'balance', jsonb_build_object(
        'point_type', 'points', 'available', settled, 'pending', 0, 'debt', 0)));
    RETURN event;
END $$;
