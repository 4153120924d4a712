-- The ledger's hot statements, for SQLite (3.35 or newer) and PostgreSQL alike.
--
-- ROWS(column type, ...) AS r is a table made of one JSON parameter, a list of rows;
-- "instant" is the database's own timestamp, and INSTANT(column) reads one as ISO 8601
-- text in UTC. A line that begins with "-- postgresql:" is a part of the statement
-- there and a remark on SQLite, where the one writer at a time needs no row locks.

-- name: due_enrolments
-- Open enrolments to look at now, the longest waiting first, with their cards.
SELECT e.person_id, e.journey, e.version, e.rotation, e.arm,
       INSTANT(e.entered_at), INSTANT(e.last_order_at), e.position,
       INSTANT(e.ready_at), INSTANT(e.due_at), p.country, p.address
FROM ledger_enrolment AS e
JOIN ledger_person AS p ON p.id = e.person_id
WHERE e.ended_at IS NULL AND e.due_at <= %s
ORDER BY e.due_at, e.id
LIMIT %s

-- name: consents_of
-- Every consent record of these people, in the order the statements were made.
SELECT c.person_id, c.channel, c.granted, INSTANT(c.at), c.source, c.wording
FROM ROWS(person text) AS r
JOIN ledger_consent AS c ON c.person_id = r.person
ORDER BY c.at, c.id

-- name: suppressed_of
-- The channels on which these people, or the addresses they have now, are suppressed.
SELECT p.id, s.channel
FROM ROWS(person text) AS r
JOIN ledger_person AS p ON p.id = r.person
JOIN ledger_suppression AS s ON s.address_hash = p.address_hash
WHERE p.address_hash <> '' AND s.address_hash <> ''
UNION
SELECT s.person_id, s.channel
FROM ROWS(person text) AS r
JOIN ledger_suppression AS s ON s.person_id = r.person

-- name: newest_orders_of
-- The newest purchase on record of each of these people who has one.
SELECT g.person_id, INSTANT(max(g.at))
FROM ROWS(person text) AS r
JOIN ledger_signal AS g ON g.person_id = r.person AND g.kind = 'order'
GROUP BY g.person_id

-- name: sends_of
-- Marketing sends of these people that count towards caps, ghosts included.
-- What failed or was cancelled never reached anyone; what is unknown may have.
SELECT t.person_id, t.channel, INSTANT(coalesce(m.accepted_at, t.at)), t.is_ghost
FROM ROWS(person text) AS r
JOIN ledger_touch AS t ON t.person_id = r.person
LEFT JOIN ledger_message AS m ON m.touch_id = t.id
WHERE t.is_marketing
  AND coalesce(m.accepted_at, t.at) > %s
  AND (t.is_ghost OR m.state IN ('queued', 'leased', 'sending', 'accepted', 'unknown'))
ORDER BY t.at, t.id

-- name: save_people
-- Insert or update contact cards.
INSERT INTO ledger_person (id, address, address_hash, country, timezone, properties)
SELECT r.id, r.address, r.address_hash, r.country, r.timezone, r.properties
FROM ROWS(id text, address text, address_hash text, country text, timezone text, properties jsonb) AS r
WHERE true
ON CONFLICT (id) DO UPDATE SET
    address = excluded.address, address_hash = excluded.address_hash,
    country = excluded.country, timezone = excluded.timezone,
    properties = excluded.properties

-- name: know_people
-- Make an empty card for those of these people who have none yet.
INSERT INTO ledger_person (id, properties)
SELECT r.person, '{}'
FROM ROWS(person text) AS r
WHERE true
ON CONFLICT DO NOTHING

-- name: add_consents
-- Append consent records; an equal one is kept once.
INSERT INTO ledger_consent (person_id, channel, granted, at, source, wording)
SELECT r.person, r.channel, r.granted, r.at, r.source, r.wording
FROM ROWS(person text, channel text, granted boolean, at instant, source text, wording text) AS r
WHERE true
ON CONFLICT DO NOTHING

-- name: suppress
-- Suppress these people and the address each has now.
INSERT INTO ledger_suppression (channel, address_hash, person_id, reason, at)
SELECT r.channel, p.address_hash, p.id, r.reason, r.at
FROM ROWS(person text, channel text, reason text, at instant) AS r
JOIN ledger_person AS p ON p.id = r.person
WHERE true
ON CONFLICT DO NOTHING

-- name: past_of
-- The enrolments of these people in one journey, later rotations last.
SELECT e.person_id, e.rotation, INSTANT(e.entered_at), e.ended_at IS NULL, e.arm
FROM ROWS(person text) AS r
JOIN ledger_enrolment AS e ON e.person_id = r.person
WHERE e.journey = %s
ORDER BY e.rotation

-- name: enrol
-- Insert enrolments; one that exists is left alone.
INSERT INTO ledger_enrolment (person_id, journey, version, rotation, arm, entered_at,
                              last_order_at, position, ready_at, due_at)
SELECT r.person, r.journey, r.version, r.rotation, r.arm, r.entered_at,
       r.last_order_at, r.position, r.ready_at, r.due_at
FROM ROWS(person text, journey text, version int, rotation int, arm text, entered_at instant,
          last_order_at instant, position int, ready_at instant, due_at instant) AS r
WHERE true
ON CONFLICT DO NOTHING

-- name: assign
-- Keep the first arm a person was drawn into, for ever.
INSERT INTO ledger_assignment (person_id, journey, arm, assigned_at, version)
SELECT r.person, r.journey, r.arm, r.assigned_at, r.version
FROM ROWS(person text, journey text, arm text, assigned_at instant, version int) AS r
WHERE true
ON CONFLICT DO NOTHING

-- name: advance
-- Move enrolments on, unless they changed since they were read; say which moved.
-- A row another transaction holds is being changed by it, so it counts as changed.
WITH moving AS (
    SELECT e.id, m.version, m.position, m.ready_at, m.due_at, m.ended_at, m.ended_reason
    FROM ROWS(person text, journey text, rotation int, from_position int, from_due_at instant,
              version int, position int, ready_at instant, due_at instant,
              ended_at instant, ended_reason text) AS m
    JOIN ledger_enrolment AS e
      ON e.person_id = m.person AND e.journey = m.journey AND e.rotation = m.rotation
    WHERE e.position = m.from_position AND e.due_at = m.from_due_at AND e.ended_at IS NULL
    -- postgresql: FOR NO KEY UPDATE OF e SKIP LOCKED
)
UPDATE ledger_enrolment
SET version = moving.version, position = moving.position, ready_at = moving.ready_at,
    due_at = moving.due_at, ended_at = moving.ended_at, ended_reason = moving.ended_reason
FROM moving
WHERE ledger_enrolment.id = moving.id
RETURNING ledger_enrolment.id, ledger_enrolment.person_id, ledger_enrolment.journey,
          ledger_enrolment.rotation

-- name: add_decisions
-- Append the gate's answers.
INSERT INTO ledger_decision (enrolment_id, step, at, answer, reason, until, is_ghost, detail)
SELECT r.enrolment, r.step, r.at, r.answer, r.reason, r.until, r.is_ghost, r.detail
FROM ROWS(enrolment bigint, step text, at instant, answer text, reason text, until instant,
          is_ghost boolean, detail text) AS r

-- name: add_touches
-- Add touches, each once for ever; say which are new.
INSERT INTO ledger_touch (enrolment_id, person_id, version, step, channel, at,
                          is_ghost, is_marketing)
SELECT r.enrolment, r.person, r.version, r.step, r.channel, r.at, r.is_ghost, r.is_marketing
FROM ROWS(enrolment bigint, person text, version int, step text, channel text, at instant,
          is_ghost boolean, is_marketing boolean) AS r
WHERE true
ON CONFLICT DO NOTHING
RETURNING id, enrolment_id, is_ghost

-- name: add_messages
-- Put the messages of new touches into the outbox.
INSERT INTO ledger_message (touch_id, channel, template, state, not_before, expires_at,
                            created_at, cost_micros)
SELECT r.touch, r.channel, r.template, 'queued', r.created_at, r.expires_at,
       r.created_at, r.cost_micros
FROM ROWS(touch bigint, channel text, template text, created_at instant, expires_at instant,
          cost_micros bigint) AS r

-- name: add_signals
-- Append signals; say which keys were not known yet.
INSERT INTO ledger_signal (person_id, kind, at, key, recorded_at)
SELECT r.person, r.kind, r.at, r.key, r.recorded_at
FROM ROWS(person text, kind text, at instant, key text, recorded_at instant) AS r
WHERE true
ON CONFLICT DO NOTHING
RETURNING key

-- name: stoppable_enrolments_of
-- These people's enrolments that are open or whose messages have not all left.
SELECT e.id, e.person_id, e.journey, e.version,
       INSTANT(e.entered_at), INSTANT(e.last_order_at)
FROM ledger_enrolment AS e
WHERE e.person_id IN (SELECT r.person FROM ROWS(person text) AS r)
  AND (e.ended_at IS NULL OR EXISTS (
      SELECT 1 FROM ledger_touch AS t JOIN ledger_message AS m ON m.touch_id = t.id
      WHERE t.enrolment_id = e.id AND m.state IN ('queued', 'leased')))
ORDER BY e.id
-- postgresql: FOR NO KEY UPDATE OF e

-- name: end_enrolments
-- End those of these enrolments that are still open.
UPDATE ledger_enrolment AS e
SET ended_at = r.ended_at, ended_reason = r.reason
FROM ROWS(enrolment bigint, ended_at instant, reason text) AS r
WHERE e.id = r.enrolment AND e.ended_at IS NULL

-- name: cancel_messages_of
-- Cancel the messages of these enrolments that have not left.
UPDATE ledger_message AS m
SET state = 'cancelled', reason = r.reason, leased_by = '', lease_until = NULL
FROM ledger_touch AS t, ROWS(enrolment bigint, reason text) AS r
WHERE t.enrolment_id = r.enrolment AND m.touch_id = t.id AND m.state IN ('queued', 'leased')
