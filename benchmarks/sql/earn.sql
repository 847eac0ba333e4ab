WITH member AS (
    SELECT id, row_number() OVER (ORDER BY id) AS n FROM members_member ORDER BY id OFFSET %(skip)s LIMIT %(most)s
), account AS (
    INSERT INTO points_account AS known (member_id, point_type_id, balance, pending, held, debt, earned_total)
    SELECT id, %(type)s, 2 * %(days)s * (1 + n %% 50), 0, 0, 0, 0 FROM member
    ON CONFLICT (member_id, point_type_id) DO UPDATE SET balance = known.balance + excluded.balance
    RETURNING id, member_id
)
INSERT INTO points_lot (account_id, member_id, org_unit_id, funder_id, unit_cost_micros, earned, remaining, held,
                        is_pending, earned_at, expires_at)
SELECT account.id, member_id, %(unit)s, %(unit)s, 10000, 1 + n %% 50, 1 + n %% 50, 0, false, '2026-01-01',
       %(first)s::timestamptz + day * interval '1 day'
FROM account JOIN member ON member.id = member_id
CROSS JOIN generate_series(0, %(days)s - 1) AS day CROSS JOIN generate_series(1, 2)
