-- Files of members: matching, states, taking in and taking back, in a few statements for however many rows.

-- The identifiers of a file that stand in more than one row: each with the first and the last row it stands in, refused ones
-- left out where only those count that `may_come`. `wanted` is card, phone or email, or `identifier` for all others; NULL for all
-- of them. Nothing is known to the planner of rows just copied: left to itself it would hold each against each.
DROP FUNCTION IF EXISTS members_import_twice(bigint, text);
CREATE OR REPLACE FUNCTION members_import_twice(job bigint, wanted text, may_come boolean)
RETURNS TABLE (id bigint, number int, kind text, first int, last int)
LANGUAGE sql STABLE SET plan_cache_mode = force_custom_plan SET enable_nestloop = off AS $$
    WITH twice AS MATERIALIZED (
        SELECT i.kind, i.value_hash FROM members_rowidentifier i
        WHERE i.job_id = job
          AND (wanted IS NULL OR CASE WHEN i.kind IN ('card', 'phone', 'email') THEN i.kind ELSE 'identifier' END = wanted)
        GROUP BY i.kind, i.value_hash HAVING count(*) > 1
    )
    SELECT s.id, s.number, CASE WHEN s.kind IN ('card', 'phone', 'email') THEN s.kind ELSE 'identifier' END,
           min(s.number) OVER same, max(s.number) OVER same
    FROM members_rowidentifier s JOIN twice USING (kind, value_hash)
    WHERE s.job_id = job AND (NOT may_come OR (
        SELECT r.state <> 'refused' AND NOT r.findings ? 'decided' FROM members_memberrow r
        WHERE r.job_id = s.job_id AND r.number = s.number))
    WINDOW same AS (PARTITION BY s.kind, s.value_hash)
$$;

-- Whom the identifiers of a file name in the studio by now: held `whole` against the studio's, or looked up one by one. Most
-- name whom they named when they were read, and are not written. Returns the rows of which that is not so.
DROP FUNCTION IF EXISTS members_import_known(bigint, boolean);
CREATE FUNCTION members_import_known(job bigint, whole boolean) RETURNS int[]
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_nestloop = off AS $$
DECLARE
    differing bigint[];
BEGIN
    IF whole THEN
        differing := ARRAY(
            SELECT r.id FROM members_rowidentifier r
            LEFT JOIN members_identifier i ON i.kind = r.kind AND i.value_hash = r.value_hash
            WHERE r.job_id = job AND i.member_id IS DISTINCT FROM r.member_id);
    ELSE
        differing := ARRAY(
            SELECT r.id FROM members_rowidentifier r
            WHERE r.job_id = job AND r.member_id IS DISTINCT FROM (
                SELECT i.member_id FROM members_identifier i WHERE i.kind = r.kind AND i.value_hash = r.value_hash));
    END IF;
    UPDATE members_rowidentifier r SET member_id = (
        SELECT i.member_id FROM members_identifier i WHERE i.kind = r.kind AND i.value_hash = r.value_hash)
    WHERE r.id = ANY (differing);
    RETURN ARRAY(SELECT DISTINCT number FROM members_rowidentifier WHERE id = ANY (differing) ORDER BY number);
END $$;

-- The member of each row in `touched`, and whose identifiers name two members; who stands twice, in all rows. `kinds` are the
-- kinds of identifier by which members are recognised, the first first; who lives outside `root` stays as they are. Rows are
-- joined whole, whatever the planner believes of how many there are; the few tables of the studio are looked up one by one.
DROP FUNCTION IF EXISTS members_import_match(bigint, text[], text);
CREATE OR REPLACE FUNCTION members_import_match(job bigint, kinds text[], root text, touched int[]) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_nestloop = off AS $$
#variable_conflict use_column
BEGIN
    UPDATE members_memberrow r
    SET member_id = o.member, changes = '[]',
        findings = (r.findings - 'identifier_of_other') || CASE WHEN o.several THEN '{"identifier_of_other": ""}' ELSE '{}' END::jsonb,
        notes = (r.notes - 'known_elsewhere') || CASE WHEN o.member IS NULL OR starts_with((
            SELECT path FROM orgs_orgunit WHERE id = (SELECT home_unit_id FROM members_member WHERE id = o.member)
        ), root) THEN '[]' ELSE '["known_elsewhere"]' END::jsonb
    FROM (
        SELECT number, count(DISTINCT member_id) > 1 AS several,
               (array_agg(member_id ORDER BY coalesce(array_position(kinds, kind::text), 1000), kind)
                   FILTER (WHERE member_id IS NOT NULL))[1] AS member
        FROM members_rowidentifier
        WHERE job_id = members_import_match.job AND number = ANY (touched) GROUP BY number
    ) o
    WHERE r.job_id = members_import_match.job AND r.number = ANY (touched) AND r.number = o.number;

    UPDATE members_memberrow r SET findings = r.findings || again.codes
    FROM (
        SELECT t.number, jsonb_object_agg(t.kind || '_duplicate', '') AS codes
        FROM members_import_twice(members_import_match.job, NULL, false) t
        WHERE t.number > t.first GROUP BY t.number
    ) again
    WHERE r.job_id = members_import_match.job AND r.number = again.number;
END $$;

-- What each row is to become, from what was found; how many changed their state.
CREATE OR REPLACE FUNCTION members_import_states(job bigint, refusing text[]) RETURNS bigint
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    changed bigint;
BEGIN
    -- Once over the table, and most rows are not written: they are what they were found to be when they were read.
    UPDATE members_memberrow r SET state = CASE
        WHEN r.findings <> '{}' THEN CASE WHEN EXISTS (
            SELECT FROM jsonb_object_keys(r.findings) AS code WHERE split_part(code, ':', 1) = ANY (refusing)
        ) THEN 'refused' ELSE 'question' END
        WHEN r.member_id IS NULL THEN 'new'
        WHEN r.changes <> '[]' THEN 'changed'
        ELSE 'same' END
    WHERE r.job_id = members_import_states.job AND NOT r.is_done AND r.state <> 'left'
      AND r.state <> CASE
        WHEN r.findings <> '{}' THEN CASE WHEN EXISTS (
            SELECT FROM jsonb_object_keys(r.findings) AS code WHERE split_part(code, ':', 1) = ANY (refusing)
        ) THEN 'refused' ELSE 'question' END
        WHEN r.member_id IS NULL THEN 'new'
        WHEN r.changes <> '[]' THEN 'changed'
        ELSE 'same' END;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;

-- Settles the finding `code` in every row that says `value`, as `apps.members.importing.deciding` describes the choices.
-- `unit` is the chosen store, `told` the attributes that are set instead.
CREATE OR REPLACE FUNCTION members_import_decide(job bigint, code text, value text, choice text, unit bigint, told jsonb) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    named text := split_part(code, '_', 1);
    at_fault bigint[] := ARRAY(
        SELECT r.id FROM members_memberrow r
        WHERE r.job_id = job AND NOT r.is_done AND r.findings->>code = members_import_decide.value);
BEGIN
    IF cardinality(at_fault) = 0 THEN
        RETURN;
    END IF;
    IF choice = 'newest' THEN
        UPDATE members_memberrow r SET findings = r.findings || '{"decided": "earlier"}'
        FROM members_import_twice(job, named, true) t
        WHERE r.job_id = job AND r.number = t.number AND t.number < t.last;
    ELSIF choice = 'without' AND code = 'identifier_of_other' THEN
        DELETE FROM members_rowidentifier n USING members_memberrow r
        WHERE r.id = ANY (at_fault) AND n.job_id = job AND n.number = r.number AND n.member_id <> r.member_id;
    ELSIF choice = 'without' THEN
        DELETE FROM members_rowidentifier n USING members_import_twice(job, named, true) t
        WHERE n.id = t.id AND t.number > t.first;
    ELSIF choice = 'merge' THEN
        -- The points of all rows of one member go to the first; what else names the member goes there too. Rows that went
        -- into another before have given theirs; a row that is itself to go into another goes first.
        LOOP
            WITH again AS MATERIALIZED (
                SELECT t.number, t.first
                FROM members_import_twice(job, named, true) t JOIN members_memberrow r ON r.job_id = job AND r.number = t.number
                WHERE t.number > t.first AND r.id = ANY (at_fault) AND r.state <> 'left'
            ), later AS MATERIALIZED (
                SELECT DISTINCT ON (number) number, first FROM again
                WHERE first NOT IN (SELECT number FROM again) ORDER BY number, first
            ), summed AS (
                SELECT later.first, a.key, sum((a.value->>'points')::bigint) AS points, (array_agg(a.value))[1] AS amount
                FROM later JOIN members_memberrow r ON r.job_id = job AND r.number = later.number,
                     LATERAL jsonb_each(r.amounts) AS a
                GROUP BY 1, 2
            ), whole AS (
                SELECT s.first, jsonb_object_agg(s.key, jsonb_set(
                           coalesce(f.amounts->s.key, s.amount), '{points}',
                           to_jsonb(s.points + coalesce((f.amounts->s.key->>'points')::bigint, 0)))) AS amounts
                FROM summed s JOIN members_memberrow f ON f.job_id = job AND f.number = s.first GROUP BY 1
            ), given AS (
                UPDATE members_memberrow r SET amounts = r.amounts || whole.amounts
                FROM whole WHERE r.job_id = job AND r.number = whole.first
            ), moved AS (
                UPDATE members_rowidentifier n SET number = later.first FROM later
                WHERE n.job_id = job AND n.number = later.number AND NOT EXISTS (
                    SELECT FROM members_rowidentifier f
                    WHERE f.job_id = job AND f.number = later.first AND f.kind = n.kind AND f.value_hash = n.value_hash)
            )
            UPDATE members_memberrow r SET state = 'left', findings = '{}'
            FROM later WHERE r.job_id = job AND r.number = later.number;
            EXIT WHEN NOT FOUND;
        END LOOP;
    END IF;
    UPDATE members_memberrow r SET
        unit_id = coalesce(unit, r.unit_id),
        attributes = r.attributes || told,
        amounts = CASE WHEN choice = 'zero' THEN coalesce((
            SELECT jsonb_object_agg(a.key, a.value) FROM jsonb_each(r.amounts) AS a
            WHERE (a.value->>'points')::bigint >= 0), '{}') ELSE r.amounts END,
        findings = (r.findings - code) || CASE WHEN choice = 'refuse' THEN jsonb_build_object('decided', code)
                                               ELSE '{}' END
    WHERE r.id = ANY (at_fault) AND r.state <> 'left';
END $$;

-- Takes the rows from `first` to `last` in; how many. A row whose member came by another way meanwhile is refused, and one of
-- a known member that brings what names somebody by now.
-- Raises unique_violation where somebody enrols one of them at this very moment: run again, it is then known.
--
-- Each table that is joined is cut down to the part by its index first, so that no plan can be worse than linear: statistics
-- taken while the first members come in tell of empty tables.
CREATE OR REPLACE FUNCTION members_import_take(
    job bigint, first int, last int, at timestamptz, today date, source text, author bigint, reason text
) RETURNS bigint
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET enable_nestloop = off AS $$
#variable_conflict use_column
DECLARE
    taken bigint;
    changing bigint[] := ARRAY(
        SELECT r.member_id FROM members_memberrow r
        WHERE r.job_id = job AND r.number BETWEEN first AND last AND r.state = 'changed' AND NOT r.is_done);
BEGIN
    UPDATE members_memberrow r SET state = 'refused', findings = '{"taken_meanwhile": ""}'
    WHERE r.job_id = members_import_take.job AND r.number BETWEEN first AND last AND r.state IN ('new', 'changed')
      AND NOT r.is_done AND EXISTS (
          SELECT FROM members_rowidentifier n
          WHERE n.job_id = members_import_take.job AND n.number = r.number
            AND (r.state = 'new' OR n.member_id IS NULL) AND EXISTS (
              SELECT FROM members_identifier i WHERE i.kind = n.kind AND i.value_hash = n.value_hash OFFSET 0)
          OFFSET 0);

    UPDATE members_memberrow r SET
        is_done = true, cells_cipher = NULL,
        member_id = CASE r.state WHEN 'new' THEN nextval('members_member_id_seq') ELSE r.member_id END,
        before = CASE r.state WHEN 'changed' THEN (
            SELECT jsonb_build_object(
                'home_unit_id', m.home_unit_id, 'joined_on', m.joined_on, 'name_cipher', m.name_cipher,
                'masked_name', m.masked_name, 'name_grams', m.name_grams, 'birth_on_cipher', m.birth_on_cipher,
                'birth_day', m.birth_day, 'birth_year', m.birth_year, 'attributes', m.attributes)
            FROM members_member m WHERE m.id = r.member_id) END
    WHERE r.job_id = members_import_take.job AND r.number BETWEEN first AND last AND NOT r.is_done
      AND r.state IN ('new', 'changed', 'same');
    GET DIAGNOSTICS taken = ROW_COUNT;

    INSERT INTO members_member (id, home_unit_id, state, joined_on, name_cipher, masked_name, name_grams,
                                birth_on_cipher, birth_day, birth_year, attributes, created_at)
    SELECT r.member_id, r.unit_id, 'active', coalesce(r.joined_on, today), r.name_cipher, r.masked_name,
           r.name_grams, r.birth_on_cipher, r.birth_day, r.birth_year, r.attributes, at
    FROM members_memberrow r
    WHERE r.job_id = members_import_take.job AND r.number BETWEEN first AND last AND r.state = 'new' AND r.is_done
    ORDER BY r.number;

    UPDATE members_member m SET
        home_unit_id = CASE WHEN r.changes @> '[{"field": "home_unit"}]' THEN r.unit_id ELSE m.home_unit_id END,
        joined_on = coalesce(r.joined_on, m.joined_on),
        name_cipher = CASE WHEN r.changes @> '[{"field": "name"}]' THEN r.name_cipher ELSE m.name_cipher END,
        masked_name = CASE WHEN r.changes @> '[{"field": "name"}]' THEN r.masked_name ELSE m.masked_name END,
        name_grams = CASE WHEN r.changes @> '[{"field": "name"}]' THEN r.name_grams ELSE m.name_grams END,
        birth_on_cipher = coalesce(r.birth_on_cipher, m.birth_on_cipher),
        birth_day = coalesce(r.birth_day, m.birth_day), birth_year = coalesce(r.birth_year, m.birth_year),
        attributes = m.attributes || r.attributes
    FROM members_memberrow r
    WHERE r.job_id = members_import_take.job AND r.number BETWEEN first AND last AND r.state = 'changed'
      AND r.is_done AND m.id = r.member_id AND m.id = ANY (changing);

    INSERT INTO members_identifier (member_id, kind, value_cipher, value_hash, tail_hash, masked, source, created_at)
    SELECT r.member_id, n.kind, n.value_cipher, n.value_hash, n.tail_hash, n.masked, source, at
    FROM members_memberrow r JOIN members_rowidentifier n ON n.job_id = r.job_id AND n.number = r.number
    WHERE r.job_id = members_import_take.job AND r.number BETWEEN first AND last AND r.state IN ('new', 'changed')
      AND r.is_done AND n.number BETWEEN first AND last AND n.member_id IS NULL
    ORDER BY r.number;

    WITH named AS MATERIALIZED (
        SELECT n.number, jsonb_agg(jsonb_build_object(
                   'field', 'identifier:' || n.kind, 'old', NULL, 'new', n.masked) ORDER BY n.id) AS changes
        FROM members_rowidentifier n
        WHERE n.job_id = members_import_take.job AND n.number BETWEEN first AND last GROUP BY n.number
    )
    INSERT INTO members_memberchange (member_id, kind, changes, reason, at, actor_id)
    SELECT r.member_id, CASE r.state WHEN 'new' THEN '+' ELSE '~' END,
           CASE r.state WHEN 'new' THEN coalesce(named.changes, '[]') ELSE r.changes END, reason, at, author
    FROM members_memberrow r LEFT JOIN named ON named.number = r.number
    WHERE r.job_id = members_import_take.job AND r.number BETWEEN first AND last AND r.state IN ('new', 'changed')
      AND r.is_done
    ORDER BY r.number;
    RETURN taken;
END $$;

-- Takes back what the rows from `first` to `last` brought, but for the members in `living`, who have had a life since.
-- New members are emptied, their identifiers free again; changed ones are as they were before. Returns how many went,
-- how many were put back, and how many stay.
CREATE OR REPLACE FUNCTION members_import_take_back(
    job bigint, first int, last int, living bigint[], at timestamptz, author bigint, reason text
) RETURNS TABLE (gone bigint, restored bigint, stayed bigint)
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET enable_nestloop = off AS $$
#variable_conflict use_column
DECLARE
    going bigint[];
    restoring bigint[];
BEGIN
    SELECT array_agg(member_id) FILTER (WHERE state = 'new'), array_agg(member_id) FILTER (WHERE state = 'changed'),
           count(*) FILTER (WHERE state IN ('new', 'changed') AND member_id = ANY (living))
    INTO going, restoring, stayed
    FROM (
        SELECT r.member_id, r.state FROM members_memberrow r
        WHERE r.job_id = members_import_take_back.job AND r.number BETWEEN first AND last AND r.is_done
    ) done;
    going := ARRAY(SELECT unnest(going) EXCEPT SELECT unnest(living));
    restoring := ARRAY(SELECT unnest(restoring) EXCEPT SELECT unnest(living));

    DELETE FROM members_identifier i
    USING members_memberrow r JOIN members_rowidentifier n ON n.job_id = r.job_id AND n.number = r.number
    WHERE r.job_id = members_import_take_back.job AND r.number BETWEEN first AND last AND r.is_done
      AND (r.member_id = ANY (going) OR (r.member_id = ANY (restoring) AND n.member_id IS NULL))
      AND n.number BETWEEN first AND last AND i.member_id = ANY (going || restoring)
      AND i.member_id = r.member_id AND i.kind = n.kind AND i.value_hash = n.value_hash;

    UPDATE members_member SET state = 'removed', name_cipher = NULL, masked_name = '', name_grams = NULL, birth_on_cipher = NULL,
                              birth_day = NULL, birth_year = NULL, attributes = '{}'
    WHERE id = ANY (going);

    UPDATE members_member m SET
        home_unit_id = b.home_unit_id, joined_on = b.joined_on, name_cipher = b.name_cipher,
        masked_name = b.masked_name, name_grams = b.name_grams, birth_on_cipher = b.birth_on_cipher, birth_day = b.birth_day,
        birth_year = b.birth_year, attributes = b.attributes
    FROM members_memberrow r,
         LATERAL jsonb_to_record(r.before) AS b(
             home_unit_id bigint, joined_on date, name_cipher bytea, masked_name text, name_grams int[], birth_on_cipher bytea,
             birth_day smallint, birth_year smallint, attributes jsonb)
    WHERE r.job_id = members_import_take_back.job AND r.number BETWEEN first AND last AND r.is_done
      AND r.member_id = ANY (restoring) AND m.id = ANY (restoring) AND m.id = r.member_id;

    INSERT INTO members_memberchange (member_id, kind, changes, reason, at, actor_id)
    SELECT member_id, '~', '[]', reason, at, author FROM unnest(going || restoring) AS member_id;

    UPDATE members_memberrow r SET is_done = false, state = 'left', before = NULL,
        member_id = CASE WHEN r.member_id = ANY (going) THEN NULL ELSE r.member_id END
    WHERE r.job_id = members_import_take_back.job AND r.number BETWEEN first AND last AND r.is_done;

    gone := cardinality(going);
    restored := cardinality(restoring);
    RETURN NEXT;
END $$;
