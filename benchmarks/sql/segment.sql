-- Members of a region with a gold card and at least two orders in thirty days.
SELECT count(*) FROM members_member m JOIN orgs_orgunit u ON u.id = m.home_unit_id
JOIN (SELECT member_id FROM activity_memberday
      WHERE program_id = %(program)s AND day > %(day)s::date - 30 AND day <= %(day)s
      GROUP BY member_id HAVING sum(purchases) >= 2) d ON d.member_id = m.id
WHERE m.state = 'active' AND u.path LIKE %(path)s AND m.attributes ->> 'level' = 'gold'
