-- Files of adjustments: every row matched and checked in a few statements, however many there are. Each is planned anew
-- and walks by index: statistics and kept plans from when a table was small would look it through once for each row.

-- Names the member and the point type of each row, or says what is wrong with it. `roots` are the subtrees within which
-- whoever sends the file may adjust; who is not known and who lies beyond look alike.
CREATE FUNCTION points_batch_match(batch bigint, roots text[], everywhere boolean) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    program bigint := (SELECT program_id FROM points_adjustmentbatch b WHERE b.id = points_batch_match.batch);
    only_type bigint := (SELECT min(id) FROM points_pointtype WHERE program_id = program HAVING count(*) = 1);
    adding text[] := ARRAY(SELECT code FROM points_reasoncode
                           WHERE program_id = program AND is_active AND direction <> 'take');
    taking text[] := ARRAY(SELECT code FROM points_reasoncode
                           WHERE program_id = program AND is_active AND direction <> 'add');
BEGIN
    UPDATE points_adjustmentrow r
    SET member_id = f.member, point_type_id = f.kind, fault = coalesce(f.fault, '')
    FROM (
        SELECT s.id, m.id AS member, coalesce(t.id, CASE WHEN s.point_code = '' THEN only_type END) AS kind,
               CASE WHEN m.id IS NULL THEN 'unknown_member'
                    WHEN coalesce(t.id, CASE WHEN s.point_code = '' THEN only_type END) IS NULL THEN 'point_type'
                    WHEN s.reason_code = '' AND cardinality(c.fitting) > 0 THEN 'reason_needed'
                    WHEN s.reason_code <> '' AND s.reason_code <> ALL (c.fitting) THEN 'reason_code' END AS fault
        FROM points_adjustmentrow s
        CROSS JOIN LATERAL (SELECT CASE WHEN s.points > 0 THEN adding ELSE taking END AS fitting) c
        LEFT JOIN members_identifier i ON i.kind = s.kind AND i.value_hash = s.value_hash
        LEFT JOIN LATERAL (
            SELECT m.id FROM members_member m JOIN orgs_orgunit u ON u.id = m.home_unit_id
            WHERE m.id = coalesce(i.member_id, s.given)
              AND (everywhere OR EXISTS (SELECT FROM unnest(roots) AS root WHERE starts_with(u.path, root)))
        ) m ON true
        LEFT JOIN points_pointtype t ON t.program_id = program AND t.code = s.point_code
        WHERE s.batch_id = points_batch_match.batch AND s.fault = ''
    ) f
    WHERE r.id = f.id;
    -- By id: the planner knows nothing yet of rows just copied, and would walk them once for each other.
    UPDATE points_adjustmentrow r SET fault = 'duplicate'
    FROM (
        SELECT id, count(*) OVER (PARTITION BY member_id, point_type_id) AS times FROM points_adjustmentrow
        WHERE batch_id = points_batch_match.batch AND fault = ''
    ) counted
    WHERE r.id = counted.id AND counted.times > 1;
END $$;

-- Opens and locks every account of a batch, in the order in which everybody locks them. Returns how many.
CREATE FUNCTION points_batch_lock(batch bigint) RETURNS bigint
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
DECLARE
    locked bigint;
BEGIN
    INSERT INTO points_account (member_id, point_type_id, balance, pending, held, debt, earned_total)
    SELECT r.member_id, r.point_type_id, 0, 0, 0, 0, 0 FROM points_adjustmentrow r
    WHERE r.batch_id = batch AND NOT EXISTS (
        SELECT FROM points_account a WHERE a.member_id = r.member_id AND a.point_type_id = r.point_type_id)
    ORDER BY r.member_id, r.point_type_id
    ON CONFLICT (member_id, point_type_id) DO NOTHING;
    SELECT count(*) INTO locked FROM (
        SELECT a.id FROM points_account a
        WHERE (a.member_id, a.point_type_id) IN (
            SELECT r.member_id, r.point_type_id FROM points_adjustmentrow r WHERE r.batch_id = batch)
        ORDER BY a.id FOR NO KEY UPDATE
    ) held;
    RETURN locked;
END $$;

-- What is sent stays as it is: also for raw SQL.
CREATE FUNCTION points_refuse_sent_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT batch_id FROM changed) c
        JOIN points_adjustmentbatch b ON b.id = c.batch_id WHERE b.state <> 'draft'
    ) THEN
        RAISE EXCEPTION '% of a batch that was sent: % refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER sent_rows_added AFTER INSERT ON points_adjustmentrow REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION points_refuse_sent_rows();
CREATE TRIGGER sent_rows_changed AFTER UPDATE ON points_adjustmentrow REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION points_refuse_sent_rows();
CREATE TRIGGER sent_rows_moved AFTER UPDATE ON points_adjustmentrow REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION points_refuse_sent_rows();
CREATE TRIGGER sent_rows_removed AFTER DELETE ON points_adjustmentrow REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION points_refuse_sent_rows();

CREATE FUNCTION points_refuse_sent_batch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    free text[] := ARRAY['state', 'request_id', 'key', 'posted_at'];
BEGIN
    IF OLD.state = 'draft' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state = 'sent' AND NEW.state IN ('sent', 'posted')
       AND to_jsonb(OLD) - free = to_jsonb(NEW) - free THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'request_id' = to_jsonb(NEW) - 'request_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a batch that was sent: % refused', TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER sent_batch BEFORE UPDATE OR DELETE ON points_adjustmentbatch
    FOR EACH ROW EXECUTE FUNCTION points_refuse_sent_batch();
