-- First half of the main road: records a batch of events, opens the accounts they may move, and answers with all
-- that evaluation needs to know of each. Refuses (LS001) when the caller's copy of the configuration is old.
-- Plans are made once a session, since making one costs more than an award; and only with indexes, so that a plan
-- made when a table was empty is still good when it is full. An event's `n` is its place in the batch, from 0.
DROP FUNCTION IF EXISTS rules_open(jsonb, bigint, bigint, timestamptz);
CREATE FUNCTION rules_open(batch jsonb, source bigint, epoch bigint, received timestamptz)
RETURNS TABLE (n int, member_id bigint, event_id bigint, home_path text, joined_on date, attributes jsonb,
               birth_day smallint, birth_year smallint, was_brought boolean, counters jsonb, accounts jsonb, cards jsonb, tags jsonb)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    ns int[];
    members bigint[];
    homes bigint[];
    joined date[];
    attributes jsonb[];
    birth_days smallint[];
    birth_years smallint[];
    brought boolean[];
    events bigint[];
BEGIN
    IF epoch IS DISTINCT FROM (SELECT value FROM core_epoch) THEN
        RAISE EXCEPTION 'the configuration changed' USING ERRCODE = 'LS001';
    END IF;
    SELECT array_agg(r.n), array_agg(r.member_id), array_agg(r.home_unit_id), array_agg(r.joined_on),
           array_agg(r.attributes), array_agg(r.birth_day), array_agg(r.birth_year), array_agg(r.was_brought),
           array_agg(r.event_id)
    INTO ns, members, homes, joined, attributes, birth_days, birth_years, brought, events
    FROM activity_record(batch, source, received) AS r;

    PERFORM points_open_accounts(array_agg(wanted.member), array_agg(wanted.point_type)) FROM (
        SELECT DISTINCT r.member, t::bigint AS point_type
        FROM unnest(ns, members, events) AS r(n, member, event)
        CROSS JOIN LATERAL jsonb_array_elements_text(batch -> r.n -> 'types') AS t
        WHERE r.event IS NOT NULL
    ) wanted;

    -- A new statement: it sees what others committed before we had the locks.
    RETURN QUERY
    SELECT r.n, r.member, r.event, u.path::text, r.joined, r.attributes, r.birth_day, r.birth_year, r.brought,
           (SELECT jsonb_agg(jsonb_build_array(c.rule_id, c.period, c.start, c.points, c.times, c.amount_micros,
                                             c.pieces_micros, c.cost_micros)) FROM rules_counter c
            WHERE c.member_id = r.member
                AND c.start IN (SELECT s::date FROM jsonb_array_elements_text(batch -> r.n -> 'starts') AS s)),
           (SELECT jsonb_agg(jsonb_build_array(a.id, a.point_type_id, a.balance, a.pending, a.held, a.debt, a.lapses_at))
            FROM points_account a WHERE a.member_id = r.member),
           CASE WHEN batch -> r.n ? 'cards' THEN
               (SELECT jsonb_agg(jsonb_build_array(p.rule_id, p.name, p.start, p.value::text, p.state))
                FROM rules_progress p WHERE p.member_id = r.member
                    AND p.start IN (SELECT s::date FROM jsonb_array_elements_text(batch -> r.n -> 'cards') AS s)) END,
           CASE WHEN batch -> r.n ? 'tagged' THEN
               (SELECT jsonb_agg(jsonb_build_array(t.tag, t.from_on, t.until_on, t.rule_id, t.event_id))
                FROM members_membertag t WHERE t.member_id = r.member
                    AND (t.until_on IS NULL OR t.until_on > (batch -> r.n ->> 'tagged')::date)) END
    FROM unnest(ns, members, homes, joined, attributes, birth_days, birth_years, brought, events)
        AS r(n, member, home, joined, attributes, birth_day, birth_year, brought, event)
    LEFT JOIN orgs_orgunit u ON u.id = r.home
    ORDER BY r.n;
END $$;

-- Between the halves, where rules are limited for a store, a programme or a device: locks their counters, made where
-- they are missing, and answers with what they say.
CREATE OR REPLACE FUNCTION rules_reserve(wanted jsonb) RETURNS TABLE (counters jsonb)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    INSERT INTO rules_unitcounter (unit_id, device, rule_id, period, start, points, times, amount_micros, pieces_micros,
                                   cost_micros)
    SELECT w.unit_id, w.device, w.rule_id, w.period, w.start, 0, 0, 0, 0, 0
    FROM jsonb_to_recordset(wanted) AS w(unit_id bigint, device text, rule_id bigint, period text, start date)
    ORDER BY 3, 1, 2, 4, 5
    ON CONFLICT (rule_id, unit_id, device, period, start) DO NOTHING;
    PERFORM FROM rules_unitcounter c
    JOIN jsonb_to_recordset(wanted) AS w(unit_id bigint, device text, rule_id bigint, period text, start date)
        USING (rule_id, unit_id, device, period, start)
    ORDER BY c.rule_id, c.unit_id, c.device, c.period, c.start FOR NO KEY UPDATE OF c;
    -- A new statement: it sees what others committed before we had the locks.
    RETURN QUERY
    SELECT jsonb_agg(jsonb_build_array(NULL, c.unit_id, c.device, c.rule_id, c.period, c.start, c.points, c.times,
                                       c.amount_micros, c.pieces_micros, c.cost_micros))
    FROM rules_unitcounter c
    JOIN jsonb_to_recordset(wanted) AS w(unit_id bigint, device text, rule_id bigint, period text, start date)
        USING (rule_id, unit_id, device, period, start);
END $$;

-- Second half: writes the points, what each event came to, and the counters of limits.
CREATE OR REPLACE FUNCTION rules_settle(plan jsonb, outcomes jsonb, counters jsonb) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    PERFORM points_post(plan);
    INSERT INTO rules_outcome (event_id, member_id, points, answer)
    SELECT o.event, o.member, o.points, o.answer
    FROM jsonb_to_recordset(outcomes) AS o(event bigint, member bigint, points bigint, answer jsonb);
    IF jsonb_array_length(counters -> 'members') > 0 THEN
        INSERT INTO rules_counter AS known
            (member_id, rule_id, period, start, points, times, amount_micros, pieces_micros, cost_micros)
        SELECT c.member_id, c.rule_id, c.period, c.start, c.points, c.times, c.amount, c.pieces, c.cost
        FROM jsonb_to_recordset(counters -> 'members')
             AS c(member_id bigint, rule_id bigint, period text, start date, points bigint, times int, amount bigint,
                  pieces bigint, cost bigint)
        ORDER BY 1, 4, 3, 2
        ON CONFLICT (member_id, start, period, rule_id) DO UPDATE SET
            points = known.points + excluded.points, times = known.times + excluded.times,
            amount_micros = known.amount_micros + excluded.amount_micros,
            pieces_micros = known.pieces_micros + excluded.pieces_micros,
            cost_micros = known.cost_micros + excluded.cost_micros;
    END IF;
    IF jsonb_array_length(counters -> 'units') > 0 THEN
        UPDATE rules_unitcounter known SET
            points = known.points + c.points, times = known.times + c.times,
            amount_micros = known.amount_micros + c.amount, pieces_micros = known.pieces_micros + c.pieces,
            cost_micros = known.cost_micros + c.cost
        FROM jsonb_to_recordset(counters -> 'units')
             AS c(unit_id bigint, device text, rule_id bigint, period text, start date, points bigint, times int,
                  amount bigint, pieces bigint, cost bigint)
        WHERE known.unit_id = c.unit_id AND known.device = c.device AND known.rule_id = c.rule_id
              AND known.period = c.period AND known.start = c.start;
    END IF;
    IF counters ? 'cards' THEN
        INSERT INTO rules_progress (member_id, rule_id, name, start, value, state)
        SELECT c.member_id, c.rule_id, c.name, c.start, c.value, c.state
        FROM jsonb_to_recordset(counters -> 'cards')
             AS c(member_id bigint, rule_id bigint, name text, start date, value numeric, state jsonb)
        ON CONFLICT (member_id, start, rule_id, name) DO UPDATE SET value = excluded.value, state = excluded.state;
    END IF;
    IF counters ? 'tags' THEN
        INSERT INTO members_membertag (member_id, tag, from_on, until_on, rule_id, event_id)
        SELECT t.member, t.tag, t.since, t.until, t.rule_id, t.event_id
        FROM jsonb_to_recordset(counters -> 'tags')
             AS t(member bigint, tag text, since date, until date, rule_id bigint, event_id bigint)
        ON CONFLICT DO NOTHING;
    END IF;
    IF counters ? 'untagged' THEN
        UPDATE members_membertag known SET until_on = known.from_on
        FROM jsonb_to_recordset(counters -> 'untagged') AS t(rule_id bigint, event_id bigint)
        WHERE known.event_id = t.event_id AND known.rule_id = t.rule_id;
    END IF;
    IF counters ? 'friends' THEN
        INSERT INTO rules_friendwaiting (event_id, referrer_id)
        SELECT o.event, m.brought_by_id FROM jsonb_to_recordset(outcomes) AS o(event bigint, member bigint)
        JOIN members_member m ON m.id = o.member
        WHERE m.brought_by_id IS NOT NULL AND counters -> 'friends' @> to_jsonb(o.event);
    END IF;
    IF counters ? 'held' THEN
        INSERT INTO rules_heldevent (event_id, member_id, rule_id, rule_version_id, reason)
        SELECT r.event, r.member, r.rule, r.version, r.reason
        FROM jsonb_to_recordset(counters -> 'held')
             AS r(event bigint, member bigint, rule bigint, version bigint, reason text);
    END IF;
    -- Foreign keys are held here, with indexes. Left to COMMIT, a session that began on empty tables would hold each
    -- of a batch's by reading a whole table: half a minute for what takes a tenth of a second.
    SET CONSTRAINTS ALL IMMEDIATE;
    SET CONSTRAINTS ALL DEFERRED;
END $$;
