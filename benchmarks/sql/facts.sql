-- Three stores, twenty rules and four kinds a day.
INSERT INTO reports_dailyfact (program_id, day, org_unit_id, point_type_id, rule_id, kind, entries, points,
                               pending_points, cost_micros)
SELECT %(program)s, date '2023-01-01' + day, unit.id, %(type)s, rule, kind, 10, 100 + rule, 0, (100 + rule) * 10000
FROM generate_series(0, %(days)s - 1) AS day CROSS JOIN generate_series(1, 20) AS rule
CROSS JOIN unnest(ARRAY['earn', 'redeem', 'expire', 'adjust']) AS kind
CROSS JOIN (SELECT id FROM orgs_orgunit WHERE code IN ('S001', 'S002', 'S003')) AS unit
