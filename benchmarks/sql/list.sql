SELECT m.id, m.masked_name, m.state, m.joined_on, u.name FROM members_member m JOIN orgs_orgunit u ON u.id = m.home_unit_id
WHERE u.path LIKE %(path)s ORDER BY m.id DESC LIMIT 51;
SELECT member_id, masked FROM members_identifier WHERE member_id = ANY (%(ids)s) ORDER BY id;
