-- Addresses of which people have several, in the manner of ledger.sql.

-- name: save_addresses
-- Let these addresses be of these people, as of when they were seen. What was seen later, or
-- retired since, stays; so does an address of who was erased, and gets nothing.
INSERT INTO ledger_address (person_id, kind, value, hash, first_seen_at, seen_at, given, reason)
SELECT p.id, r.kind, r.value, r.hash, r.at, r.at, r.given, ''
FROM ROWS(person text, kind text, value text, hash text, at instant, given text) AS r
JOIN ledger_person AS p ON p.id = r.person
WHERE p.erased_at IS NULL
ON CONFLICT (kind, hash) DO UPDATE SET
    person_id = excluded.person_id, value = excluded.value, seen_at = excluded.seen_at,
    given = excluded.given, retired_at = NULL, reason = ''
WHERE excluded.seen_at > ledger_address.seen_at
  AND (ledger_address.retired_at IS NULL OR excluded.seen_at > ledger_address.retired_at)

-- name: add_secondary
-- Note these addresses of people beside the cards'; return who had one that was not known.
INSERT INTO ledger_secondary_address (person_id, kind, hash)
SELECT p.id, r.kind, r.hash
FROM ROWS(person text, kind text, hash text) AS r
JOIN ledger_person AS p ON p.id = r.person
WHERE p.erased_at IS NULL
ON CONFLICT DO NOTHING
RETURNING person_id

-- name: forget_secondary
-- Forget which addresses these people have beside the cards'; files tell of them again.
DELETE FROM ledger_secondary_address
WHERE person_id IN (SELECT r.person FROM ROWS(person text) AS r)

-- name: addresses_of
-- The addresses of a kind that these people have now, the newest last.
SELECT a.person_id, a.value, a.hash
FROM ROWS(person text) AS r
JOIN ledger_address AS a ON a.person_id = r.person
WHERE a.kind = %s AND a.retired_at IS NULL
ORDER BY a.seen_at, a.id

-- name: return_addresses
-- Let addresses that were given under an id of those who leave be theirs.
UPDATE ledger_address AS a
SET person_id = r.gone
FROM ROWS(given text, gone text, kept text) AS r
WHERE a.given = r.given AND a.person_id = r.kept

-- name: rehash_addresses
-- Keep these addresses under other hashes.
UPDATE ledger_address AS a
SET hash = r.hash
FROM ROWS(number bigint, hash text) AS r
WHERE a.id = r.number
