SELECT date_trunc('month', f.day), substr(u.path, 1, length(%(path)s) + 4), f.rule_id, f.kind, sum(f.entries),
       sum(f.points + f.pending_points), sum(f.cost_micros)
FROM reports_dailyfact f JOIN orgs_orgunit u ON u.id = f.org_unit_id
WHERE f.program_id = %(program)s AND f.day >= '2024-01-01' AND f.day < '2025-01-01' AND u.path LIKE %(path)s || '%%'
GROUP BY 1, 2, 3, 4
