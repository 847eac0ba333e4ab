SELECT * FROM django_session WHERE session_key = %(session)s AND expire_date > now();
SELECT * FROM orgs_staff WHERE id = %(person)s;
SELECT p.codename, u.path FROM guardian_userobjectpermission g JOIN auth_permission p ON p.id = g.permission_id
JOIN orgs_orgunit u ON u.id = g.object_pk::bigint WHERE g.user_id = %(person)s;
