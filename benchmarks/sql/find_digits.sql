SELECT i.member_id, i.kind, i.masked, m.masked_name, m.state, u.name FROM members_identifier i
JOIN members_member m ON m.id = i.member_id JOIN orgs_orgunit u ON u.id = m.home_unit_id
WHERE i.tail_hash = %(tail)s AND u.path LIKE %(path)s ORDER BY i.member_id DESC, i.id LIMIT 2 * %(most)s
