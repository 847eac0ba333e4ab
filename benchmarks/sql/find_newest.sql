SELECT m.id, m.name_cipher, m.masked_name, m.state, u.name FROM members_member m JOIN orgs_orgunit u ON u.id = m.home_unit_id
WHERE m.name_grams @> %(grams)s ORDER BY m.id DESC LIMIT %(most)s
