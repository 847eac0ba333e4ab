-- Members out of a pool of names, with a phone and a card each: the older half in the first half of the stores.
WITH store AS (SELECT array_agg(id ORDER BY path) AS ids, (count(*) / 2)::int AS half FROM orgs_orgunit WHERE kind = 'store')
INSERT INTO members_member
    (home_unit_id, state, joined_on, masked_name, name_cipher, name_grams, birth_on_cipher, attributes, created_at)
SELECT ids[1 + n * 2 / %(members)s * half + (hashint4(n) & 65535) %% half],
    CASE n %% 50 WHEN 0 THEN 'closed' ELSE 'active' END, date '2024-01-01' + n / 2000,
    p.masked, p.cipher, p.grams, decode(repeat('ab', 39), 'hex'), '{"level": "silver", "visits": 12}', now()
FROM generate_series(0, %(members)s - 1) AS n CROSS JOIN store
JOIN names p ON p.id = (hashint4(n * 7 + 1) & 2147483647) %% %(names)s
ORDER BY n;

INSERT INTO members_identifier (member_id, kind, value_cipher, value_hash, tail_hash, masked, created_at)
SELECT m.id, kind, decode(repeat('ab', 42), 'hex'), decode(md5(kind || m.id), 'hex'), t.hash, '****' || t.id, now()
FROM members_member m CROSS JOIN unnest(ARRAY['phone', 'card']) AS kind
JOIN tails t ON t.id = (hashint8(m.id * CASE kind WHEN 'card' THEN 3 ELSE 5 END) & 2147483647) %% 10000
ORDER BY m.id
