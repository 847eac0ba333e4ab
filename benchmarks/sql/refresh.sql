-- Members of a region who ordered within thirty days get a tag, and whoever no longer does loses it.
WITH wanted AS (
    SELECT m.id FROM members_member m JOIN orgs_orgunit u ON u.id = m.home_unit_id
    JOIN (SELECT member_id FROM activity_memberday
          WHERE program_id = %(program)s AND day > %(day)s::date - 30 AND day <= %(day)s
          GROUP BY member_id HAVING sum(purchases) >= 1) d ON d.member_id = m.id
    WHERE m.state = 'active' AND u.path LIKE %(path)s
), held AS (
    SELECT id, member_id FROM members_membertag WHERE definition_id = %(tag)s AND until_on IS NULL
), found AS MATERIALIZED (
    SELECT wanted.id AS member_id, held.id AS held_id FROM wanted FULL JOIN held ON held.member_id = wanted.id
), gone AS (
    UPDATE members_membertag tag SET until_on = %(day)s FROM found WHERE found.member_id IS NULL AND tag.id = held_id
    RETURNING 1
), entered AS (
    INSERT INTO members_membertag (member_id, tag, from_on, definition_id)
    SELECT member_id, 'by-hand', %(day)s, %(tag)s FROM found WHERE held_id IS NULL
    RETURNING 1
)
SELECT (SELECT count(member_id) FROM found), (SELECT count(*) FROM entered), (SELECT count(*) FROM gone)
