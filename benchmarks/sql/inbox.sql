SELECT p.id, ARRAY(SELECT u.path FROM guardian_userobjectpermission g JOIN orgs_orgunit u ON u.id = g.object_pk::bigint
    WHERE g.user_id = p.id) FROM orgs_staff p WHERE p.is_active AND (p.id = %(person)s OR p.id IN (
        SELECT d.person_id FROM approvals_delegation d
        WHERE d.delegate_id = %(person)s AND d.starts_at <= now() AND d.ends_at > now() AND d.ended_at IS NULL));
SELECT (SELECT count(*) FROM (SELECT DISTINCT found.request_id FROM (
        SELECT %(person)s AS id UNION ALL SELECT person_id FROM approvals_delegation WHERE delegate_id = %(person)s) hat
    CROSS JOIN LATERAL (
        SELECT t.request_id FROM approvals_approvaltask t WHERE t.person_id = hat.id AND t.is_open
            AND EXISTS (SELECT FROM approvals_approvalrequest r
                WHERE r.id = t.request_id AND r.requester_id NOT IN (%(person)s, hat.id))
        ORDER BY t.request_id DESC LIMIT 100) found LIMIT 100) waiting),
    (SELECT count(*) FROM (SELECT FROM approvals_approvalrequest
        WHERE requester_id = %(person)s AND steps > 0 AND state IN ('open', 'returned') LIMIT 100) mine),
    (SELECT count(*) FROM (SELECT FROM approvals_decision WHERE person_id = %(person)s LIMIT 100) decided),
    (SELECT count(*) FROM (SELECT FROM approvals_watch WHERE person_id = %(person)s LIMIT 100) watched),
    (SELECT jsonb_agg(v) FROM approvals_savedview v WHERE person_id = %(person)s),
    (SELECT jsonb_agg(u) FROM (SELECT code, name FROM orgs_orgunit WHERE path LIKE %(path)s AND kind <> 'store') u);
SELECT r.id, r.kind, r.about, r.title, r.amount, r.sent_at, r.due_at, r.state, r.asked_on, r.asked_hash, r.needed, p.username,
    p.first_name, p.last_name, u.name
FROM (SELECT DISTINCT found.request_id FROM (
        SELECT %(person)s AS id UNION ALL SELECT person_id FROM approvals_delegation WHERE delegate_id = %(person)s) hat
    CROSS JOIN LATERAL (
        SELECT t.request_id FROM approvals_approvaltask t WHERE t.person_id = hat.id AND t.is_open
            AND EXISTS (SELECT FROM approvals_approvalrequest r JOIN orgs_orgunit u ON u.id = r.unit_id
                JOIN guardian_userobjectpermission g ON g.user_id = hat.id
                JOIN auth_permission q ON q.id = g.permission_id AND q.codename = 'role_' || t.role
                JOIN orgs_orgunit held ON held.id = g.object_pk::bigint AND u.path LIKE held.path || '%%'
                WHERE r.id = t.request_id AND r.requester_id NOT IN (%(person)s, hat.id))
            AND NOT EXISTS (SELECT FROM approvals_decision d WHERE d.request_id = t.request_id
                AND (d.person_id IN (%(person)s, hat.id) OR d.hat_id IN (%(person)s, hat.id)))
        ORDER BY t.request_id DESC LIMIT 51) found
    ORDER BY found.request_id DESC LIMIT 51) page
JOIN approvals_approvalrequest r ON r.id = page.request_id JOIN orgs_orgunit u ON u.id = r.unit_id
LEFT JOIN orgs_staff p ON p.id = r.requester_id ORDER BY r.id DESC;
SELECT id, masked_name FROM members_member WHERE id = ANY (%(members)s);
