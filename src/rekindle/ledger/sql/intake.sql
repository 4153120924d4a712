-- What event intake asks of the ledger, in the manner of ledger.sql.

-- name: known_ids
-- Of these ids those that stand for someone else, were erased or stand for someone who was,
-- or stand for nobody who has a card. Anonymous ones, which begin with a space, have none.
SELECT r.id, a.person, p.erased_at IS NOT NULL OR o.erased_at IS NOT NULL, p.id IS NULL, a.given,
       INSTANT(a.at)
FROM ROWS(id text) AS r
LEFT JOIN ledger_alias AS a ON a.id = r.id
LEFT JOIN ledger_person AS p ON p.id = coalesce(a.person, r.id)
LEFT JOIN ledger_person AS o ON o.id = r.id AND a.person IS NOT NULL
WHERE a.person IS NOT NULL OR p.erased_at IS NOT NULL
   OR (p.id IS NULL AND substr(r.id, 1, 1) <> ' ')

-- name: relatives_of
-- Cards that these people also go by: what one of them does, all of them did.
SELECT a.person, p.id
FROM ROWS(person text) AS r
JOIN ledger_alias AS a ON a.person = r.person
JOIN ledger_person AS p ON p.id = a.id AND p.joined_to IS NULL

-- name: cards_to_change
-- The cards of these people, held until the transaction ends.
SELECT p.id, p.address, p.country, p.timezone, p.properties, p.phone, p.said
FROM ROWS(person text) AS r
JOIN ledger_person AS p ON p.id = r.person
ORDER BY p.id
-- postgresql: FOR NO KEY UPDATE OF p

-- name: known_events
-- Those of these events of one source that are there already.
SELECT e.message_id
FROM ledger_event AS e
WHERE e.source = %s
  AND e.message_id IN (SELECT r.message_id FROM ROWS(message_id text) AS r)

-- name: add_aliases
-- Remember whom these ids stand for; the newest word counts.
INSERT INTO ledger_alias (id, person, at, given)
SELECT r.id, r.person, r.at, r.given
FROM ROWS(id text, person text, at instant, given text) AS r
WHERE true
ON CONFLICT (id) DO UPDATE SET
    person = excluded.person, at = excluded.at, given = excluded.given

-- name: follow_aliases
-- Let ids that stood for one of these people stand for whom those stand for now.
UPDATE ledger_alias AS a
SET person = r.person
FROM ROWS(id text, person text) AS r
WHERE a.person = r.id

-- name: spool_again
-- Put what was reported under these anonymous ids back into the spool.
UPDATE ledger_event AS e
SET exported_at = NULL
FROM ROWS(id text) AS r
WHERE e.anonymous_id = r.id AND e.person IS NULL AND e.exported_at IS NOT NULL

-- name: spool_everything
-- Put all that was reported back into the spool; of the erased, only their orders.
UPDATE ledger_event
SET exported_at = NULL
WHERE exported_at IS NOT NULL
  AND (NOT (subject = '') OR person IS NULL
       OR person NOT IN (SELECT r.person FROM ROWS(person text) AS r))

-- name: said_by_visitors
-- What these visitors reported by these names before they were known, as whose it is now.
SELECT e.id, e.source, e.message_id, e.type, e.name, e.subject,
       r.person, INSTANT(e.at), e.is_machine, e.payload
FROM ROWS(id text, person text) AS r
JOIN ledger_event AS e ON e.anonymous_id = r.id
WHERE e.person IS NULL AND e.name IN (SELECT n.name FROM ROWS(name text) AS n)
ORDER BY e.id

-- name: newest_accepted_of
-- When a provider last accepted a message to each of these people.
SELECT t.person_id, INSTANT(max(t.accepted_at))
FROM ROWS(person text) AS r
JOIN ledger_touch AS t ON t.person_id = r.person
WHERE t.accepted_at IS NOT NULL
GROUP BY t.person_id

-- name: spooled_events
-- Events whose facts have not reached the lake and whose person is known, in order;
-- an order counts also while nobody knows whose it is. Facts are of the id they came under:
-- who that is today the facts are told.
SELECT e.id, e.source, e.message_id, e.type, e.name, e.subject,
       coalesce(e.given, a.person, e.person, b.given, b.person), INSTANT(e.at), e.is_machine, e.payload
FROM ledger_event AS e
LEFT JOIN ledger_alias AS a ON a.id = e.person
LEFT JOIN ledger_alias AS b ON e.person IS NULL AND b.id = ' ' || e.anonymous_id
WHERE e.exported_at IS NULL AND e.id > %s
  AND (e.person IS NOT NULL OR b.person IS NOT NULL OR NOT (e.subject = ''))
ORDER BY e.id
LIMIT %s

-- name: newest_event
-- The number of the newest event; 0 before any.
SELECT coalesce(max(e.id), 0) FROM ledger_event AS e

-- name: identified_alike
-- Who identified themselves in events that wait for the lake, and one who is no other yet by
-- the same address, and by the same telephone number. What a page says is left out.
SELECT DISTINCT p.id,
       (SELECT min(q.id) FROM ledger_person AS q
        WHERE q.address_hash = p.address_hash AND NOT (q.address_hash = '')
          AND q.id <> p.id AND q.joined_to IS NULL AND q.erased_at IS NULL),
       (SELECT min(q.id) FROM ledger_person AS q
        WHERE q.phone_hash = p.phone_hash AND NOT (q.phone_hash = '')
          AND q.id <> p.id AND q.joined_to IS NULL AND q.erased_at IS NULL)
FROM ledger_event AS e
JOIN ledger_person AS p ON p.id = e.person AND p.joined_to IS NULL
WHERE e.exported_at IS NULL AND e.id > %s AND e.type = 'identify'
  AND substr(e.message_id, 1, 8) <> 'visitor:'
  AND NOT (p.address_hash = '' AND p.phone_hash = '')

-- name: spooled_about
-- Events of these names about these people whose facts have not reached the lake, in order.
SELECT e.id, e.source, e.message_id, e.type, e.name, e.subject,
       e.person, INSTANT(e.at), e.is_machine, e.payload
FROM ledger_event AS e
WHERE e.exported_at IS NULL
  AND e.person IN (SELECT r.person FROM ROWS(person text) AS r)
  AND e.name IN (SELECT n.name FROM ROWS(name text) AS n)
ORDER BY e.id

-- name: events_of_orders
-- What was reported about these orders of one source, without what the facts had before since.
SELECT e.id, e.source, e.message_id, e.type, e.name, e.subject,
       coalesce(e.given, a.person, e.person, b.given, b.person), INSTANT(e.at), e.is_machine, e.payload
FROM ROWS(subject text, since instant) AS r
JOIN ledger_event AS e ON e.subject = r.subject
LEFT JOIN ledger_alias AS a ON a.id = e.person
LEFT JOIN ledger_alias AS b ON e.person IS NULL AND b.id = ' ' || e.anonymous_id
WHERE e.source = %s AND NOT (e.subject = '')
  AND (r.since IS NULL OR e.exported_at IS NULL OR e.exported_at >= r.since)
ORDER BY e.at, e.id

-- name: reports_of
-- What this person did, also under their other ids, and what it was about.
WITH ids AS (SELECT a.id FROM ledger_alias AS a WHERE a.person = %s)
SELECT e.id, e.subject, e.payload
FROM ledger_event AS e
WHERE e.person = %s OR e.person IN (SELECT id FROM ids)
   OR (e.person IS NULL AND ' ' || e.anonymous_id IN (SELECT id FROM ids))

-- name: forget_reports
-- Keep these events as short as this; what is no order does not reach the lake any more.
UPDATE ledger_event AS e
SET payload = r.payload, anonymous_id = NULL,
    exported_at = CASE WHEN e.subject = '' THEN coalesce(e.exported_at, r.at)
                       ELSE e.exported_at END
FROM ROWS(id bigint, payload text, at instant) AS r
WHERE e.id = r.id

-- name: mark_exported
-- Take these events out of the spool, but for those whose visitor became known meanwhile.
UPDATE ledger_event AS e
SET exported_at = %s
FROM ROWS(id bigint, is_known bool) AS r
WHERE e.id = r.id
  AND (r.is_known OR NOT EXISTS (
      SELECT 1 FROM ledger_alias AS a WHERE a.id = ' ' || e.anonymous_id))
