-- Members of three stores, every fifth with a gold card; each came on some four days, told day by day, and mostly bought.
WITH store AS (SELECT array_agg(id ORDER BY code) AS ids FROM orgs_orgunit WHERE code IN ('S001', 'S002', 'S003')),
enrolled AS (
    INSERT INTO members_member (home_unit_id, state, joined_on, masked_name, attributes, created_at)
    SELECT ids[1 + n %% 3], 'active', date '2024-01-01' + n %% 700, 'M***' || n,
           jsonb_build_object('level', CASE n %% 5 WHEN 0 THEN 'gold' ELSE 'silver' END, 'visits', n %% 40), now()
    FROM generate_series(1, %(members)s) AS n CROSS JOIN store
    RETURNING id
), came AS (
    SELECT DISTINCT id, abs(hashint8(id * 31 + visit)) %% %(days)s AS ago FROM enrolled CROSS JOIN generate_series(1, 4) AS visit
)
INSERT INTO activity_memberday (member_id, program_id, day, events, purchases, spent, refunds, refunded, check_ins)
SELECT id, %(program)s, %(day)s::date - ago, 2, ago %% 4, (ago %% 4) * 25.5, 0, 0, 1 FROM came ORDER BY ago DESC, id
