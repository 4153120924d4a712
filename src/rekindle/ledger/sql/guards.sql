-- What the guards ask and write, in the language of ledger.sql.

-- name: rehash_people
-- Write under which hashes these people's addresses and phones are known from now on.
UPDATE ledger_person AS p
SET address_hash = r.address_hash, phone_hash = r.phone_hash
FROM ROWS(person text, address_hash text, phone_hash text) AS r
WHERE p.id = r.person
