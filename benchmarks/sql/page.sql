SELECT m.*, u.name FROM members_member m JOIN orgs_orgunit u ON u.id = m.home_unit_id
WHERE m.id = %(member)s AND u.path LIKE %(path)s;
SELECT id, kind, masked FROM members_identifier WHERE member_id = %(member)s;
SELECT a.*, t.name FROM points_account a JOIN points_pointtype t ON t.id = a.point_type_id WHERE a.member_id = %(member)s;
SELECT l.* FROM points_lot l JOIN points_account a ON a.id = l.account_id
WHERE a.member_id = %(member)s AND l.remaining > 0 ORDER BY l.expires_at LIMIT 20;
SELECT e.*, o.points, o.answer, u.name FROM activity_event e JOIN rules_outcome o ON o.event_id = e.id
JOIN orgs_orgunit u ON u.id = e.org_unit_id WHERE e.member_id = %(member)s ORDER BY e.occurred_at DESC LIMIT 20;
SELECT p.* FROM points_posting p JOIN points_account a ON a.id = p.account_id
WHERE a.member_id = %(member)s ORDER BY p.id DESC LIMIT 20;
