-- What expiry wrote, day by day, and whether each account then says what its open lots hold.
SELECT e.posted_at - %(first)s AS day, e.kind, count(*), sum(e.points), sum(e.cost_micros), count(DISTINCT e.posting_id),
       sum(l.remaining), bool_and(a.balance = coalesce(open.points, 0))
FROM points_entry e JOIN points_lot l ON l.id = e.lot_id JOIN points_account a ON a.id = e.account_id
LEFT JOIN (SELECT account_id, sum(remaining) AS points FROM points_lot WHERE remaining > 0 GROUP BY 1) open
    ON open.account_id = a.id
WHERE e.kind = 'expire' AND e.posted_at BETWEEN %(first)s AND %(first)s::timestamptz + interval '1 year'
GROUP BY 1, 2 ORDER BY 1, 2
