-- What the guards ask and write, in the language of ledger.sql.

-- name: rehash_people
-- Write under which hashes these people's addresses and phones are known from now on.
UPDATE ledger_person AS p
SET address_hash = r.address_hash, phone_hash = r.phone_hash
FROM ROWS(person text, address_hash text, phone_hash text) AS r
WHERE p.id = r.person

-- name: add_counts
-- Let figures grow; many workers add to the same rows, each in the order of their names.
INSERT INTO ledger_meter (name, tokens, at, "window", used)
SELECT r.name, 0, r.at, '', r.number
FROM ROWS(name text, number bigint, at instant) AS r
WHERE true
ON CONFLICT (name) DO UPDATE SET used = ledger_meter.used + excluded.used, at = excluded.at
