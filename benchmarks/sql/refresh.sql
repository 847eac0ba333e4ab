-- Members of a region who ordered within thirty days get a tag, and whoever no longer does loses it.
WITH wanted AS MATERIALIZED (
    SELECT m.id FROM members_member m JOIN orgs_orgunit u ON u.id = m.home_unit_id
    JOIN (SELECT member_id FROM activity_memberday
          WHERE program_id = %(program)s AND day > %(day)s::date - 30 AND day <= %(day)s
          GROUP BY member_id HAVING sum(purchases) >= 1) d ON d.member_id = m.id
    WHERE m.state = 'active' AND u.path LIKE %(path)s
), gone AS (
    UPDATE members_membertag AS held SET until_on = %(day)s
    WHERE held.definition_id = %(tag)s AND held.until_on IS NULL
        AND NOT EXISTS (SELECT FROM wanted WHERE wanted.id = held.member_id)
    RETURNING 1
), entered AS (
    INSERT INTO members_membertag (member_id, tag, from_on, definition_id)
    SELECT id, 'by-hand', %(day)s, %(tag)s FROM wanted WHERE NOT EXISTS (
        SELECT FROM members_membertag AS held
        WHERE held.definition_id = %(tag)s AND held.until_on IS NULL AND held.member_id = wanted.id)
    RETURNING 1
)
SELECT (SELECT count(*) FROM wanted), (SELECT count(*) FROM entered), (SELECT count(*) FROM gone)
