-- A file of members by hand: checked, each phone number once, and the bare columns written. Nothing is encrypted, no points
-- are opened, no history is kept.
WITH checked AS (
    SELECT DISTINCT ON (phone) card, phone, joined::date AS joined, u.id AS unit, level, gender
    FROM incoming JOIN orgs_orgunit u ON u.code = incoming.store
    WHERE phone ~ '^1[0-9]{10}$' AND joined ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' AND birthday ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
    ORDER BY phone, number
), numbered AS MATERIALIZED (
    SELECT *, nextval('members_member_id_seq') AS id FROM checked
), people AS (
    INSERT INTO members_member (id, home_unit_id, state, joined_on, masked_name, attributes, created_at)
    SELECT id, unit, 'active', joined, '', jsonb_build_object('gender', gender, 'legacy_level', level), now() FROM numbered
)
INSERT INTO members_identifier (member_id, kind, value_cipher, value_hash, tail_hash, masked, created_at)
SELECT id, kind, convert_to(value, 'UTF8'), substr(sha256(convert_to(kind || value, 'UTF8')), 1, 16),
       substr(sha256(convert_to(right(value, 4), 'UTF8')), 1, 8), '****' || right(value, 4), now()
FROM numbered CROSS JOIN LATERAL (VALUES ('card', card), ('phone', phone)) AS named(kind, value)
ON CONFLICT (kind, value_hash) DO NOTHING
