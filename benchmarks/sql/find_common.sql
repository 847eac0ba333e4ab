SELECT m.id, m.name_cipher, m.masked_name, m.state, u.name FROM (
    SELECT newest.id FROM orgs_orgunit u CROSS JOIN LATERAL (
        SELECT m.id FROM members_member m WHERE m.home_unit_id = u.id AND m.name_grams @> %(grams)s ORDER BY m.id DESC LIMIT %(most)s
    ) newest WHERE u.path LIKE %(path)s ORDER BY newest.id DESC LIMIT %(most)s) found
JOIN members_member m ON m.id = found.id JOIN orgs_orgunit u ON u.id = m.home_unit_id ORDER BY m.id DESC
