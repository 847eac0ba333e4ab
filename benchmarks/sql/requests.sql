ALTER TABLE approvals_decision DISABLE TRIGGER USER;
CREATE TEMP TABLE members AS
    SELECT row_number() OVER (ORDER BY m.id) - 1 AS n, m.id, m.home_unit_id, u.path LIKE %(at)s || '%%' AS is_north, p.id AS posting
    FROM members_member m JOIN orgs_orgunit u ON u.id = m.home_unit_id
    LEFT JOIN LATERAL (SELECT id FROM points_posting WHERE member_id = m.id ORDER BY id LIMIT 1) p ON true;
CREATE TEMP TABLE sent AS
    SELECT n, m.*, CASE WHEN n %% 4 = 0 AND m.posting IS NOT NULL THEN 'points.reversal' ELSE 'points.adjustment' END AS kind,
        n >= %(requests)s AS is_open, timestamptz '2026-06-01' + n * interval '1 minute' AS at
    FROM (SELECT n, n %% (SELECT count(*) FROM members) AS nth FROM generate_series(0, 2 * %(requests)s - 1) AS n) s
    JOIN (SELECT n AS nth, id, home_unit_id, is_north, posting FROM members) m USING (nth);
INSERT INTO approvals_approvalrequest (kind, unit_id, about, title, subject, facts, amount, reason, requester_id, key, state, round,
    step, steps, needed, band, together, excluded, asked_on, asked_hash, created_at, sent_at, due_at, closed_at, refusal, told)
SELECT kind, home_unit_id, 'member:' || id, '{"en": "+1,000 points for {about}", "zh": "{about}：+1,000 积分"}',
    CASE kind WHEN 'points.reversal' THEN jsonb_build_object('posting', posting, 'points', 1 + n %% 900)
        ELSE jsonb_build_object('member', id, 'point_type', %(kind)s, 'points', 1000 + n %% 900, 'reason_code', '') END,
    '{"request.points": 1000}', 1000 + n %% 900, 'A till was down for an hour', (%(asks)s::bigint[])[1 + n %% cardinality(%(asks)s::bigint[])], 'asked' || n,
    CASE WHEN is_open THEN 'open' ELSE 'done' END, 1, is_open::int, 1, 1, 'Medium', '[]', '[]',
    '[["balance", 10, 1010, "points"], ["home", "Lakeside", "Lakeside", "text"]]', md5(n::text), at, at,
    CASE WHEN is_open THEN at + interval '8 hours' END, CASE WHEN NOT is_open THEN at END, '{}', '{}'
FROM sent ORDER BY n;
INSERT INTO approvals_approvalstep (request_id, round, number, definition, opened_at, passed_at, lacks_people)
SELECT id, 1, 1, '{"parties": [{"who": {"kind": "role", "role": "regional_manager"}, "need": "any"}]}', sent_at, closed_at, false
FROM approvals_approvalrequest ORDER BY id;
INSERT INTO approvals_approvaltask (request_id, step_id, party, person_id, why, role, is_open, is_off, is_absent, asked_at)
SELECT r.id, s.id, 0, CASE WHEN u.path LIKE %(at)s || '%%' THEN %(north)s ELSE %(south)s END, 'role', 'regional_manager',
    r.state = 'open', false, false, r.sent_at
FROM approvals_approvalrequest r JOIN approvals_approvalstep s ON s.request_id = r.id JOIN orgs_orgunit u ON u.id = r.unit_id
ORDER BY r.id;
INSERT INTO approvals_decision (request_id, round, step_id, person_id, hat_id, verdict, comment, saw, saw_hash, has_changed, decided_at)
SELECT t.request_id, 1, t.step_id, t.person_id, t.person_id, 'approved', '', '[]', '', false, t.asked_at
FROM approvals_approvaltask t WHERE NOT t.is_open ORDER BY t.id;
INSERT INTO approvals_delegation (person_id, delegate_id, starts_at, ends_at, kinds, reason)
VALUES (%(south)s, %(north)s, '2020-01-01', '2100-01-01', '[]', 'on leave');
INSERT INTO approvals_watch (request_id, person_id)
SELECT id, %(north)s FROM approvals_approvalrequest ORDER BY id LIMIT 150;
DROP TABLE members, sent;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE approvals_decision ENABLE TRIGGER USER
