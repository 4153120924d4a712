-- What the outbox asks, in the language of ledger.sql.

-- name: claim_messages
-- Lease what may leave now, the longest waiting first, but for journeys that are paused.
-- Which journey a message is of is looked up only while any is.
WITH chosen AS (
    SELECT t.id
    FROM ledger_touch AS t
    WHERE t.state = 'queued' AND t.not_before <= %s AND (%s = '*' OR t.channel = %s)
      AND (t.known_until IS NULL OR t.known_until > %s)
      AND (NOT EXISTS (SELECT 1 FROM ledger_journey AS j WHERE j.state = 'paused')
           OR NOT EXISTS (
               SELECT 1 FROM ledger_enrolment AS e JOIN ledger_journey AS j ON j.name = e.journey
               WHERE e.id = t.enrolment_id AND j.state = 'paused'))
    ORDER BY t.not_before, t.id
    LIMIT %s
    -- postgresql: FOR NO KEY UPDATE OF t SKIP LOCKED
)
UPDATE ledger_touch
SET state = 'leased', leased_by = %s, lease_until = %s
FROM chosen
WHERE ledger_touch.id = chosen.id
RETURNING ledger_touch.id

-- name: channels_of_lost
-- The channels of what lost workers hold, and of what is tried again and may have left. The
-- states are written out: SQLite uses no partial index for one that comes as a parameter.
SELECT t.channel
FROM ledger_touch AS t
WHERE t.state IN ('leased', 'sending') AND t.lease_until <= %s
UNION
SELECT t.channel FROM ledger_touch AS t WHERE t.state = 'queued' AND t.known_until IS NOT NULL

-- name: outlet_stopped
-- Whether an outlet is stopped, or was and is to be tried out.
SELECT 1 FROM ledger_stoppedoutlet AS s WHERE s.outlet = %s

-- name: leased_messages
-- These messages with their enrolments and cards, the longest waiting first.
SELECT t.id, t.enrolment_id, t.person_id, t.version, t.step, t.channel, t.template, t.variant,
       INSTANT(t.at), INSTANT(t.expires_at), t.attempts, t.cost_micros,
       t.budgets, t.budget_month,
       e.journey, e.rotation, e.arm, INSTANT(e.entered_at), INSTANT(e.last_order_at),
       coalesce(s.position, 0), INSTANT(coalesce(s.due_at, t.at)), e.ended_reason, j.state,
       p.address, p.country, p.timezone, p.phone, p.erased_at IS NOT NULL,
       p.address_hash, p.phone_hash, t.key
FROM ROWS(touch bigint) AS r
JOIN ledger_touch AS t ON t.id = r.touch
JOIN ledger_enrolment AS e ON e.id = t.enrolment_id
JOIN ledger_person AS p ON p.id = t.person_id
LEFT JOIN ledger_place AS s ON s.enrolment_id = e.id
LEFT JOIN ledger_journey AS j ON j.name = e.journey
ORDER BY t.not_before, t.id

-- name: hold_budgets_of_months
-- What is reserved of these budgets, each in its month; held until the commit.
SELECT b.name, b.month, b.reserved_micros
FROM ROWS(name text, month text) AS r
JOIN ledger_budget AS b ON b.name = r.name AND b.month = r.month
ORDER BY b.name, b.month
-- postgresql: FOR NO KEY UPDATE OF b

-- name: sends_beside
-- Marketing of these people that left or may, with its number and where it stands.
SELECT t.person_id, t.id, t.channel, t.state, INSTANT(coalesce(t.accepted_at, t.not_before))
FROM ROWS(person text) AS r
JOIN ledger_touch AS t ON t.person_id = r.person
WHERE t.is_marketing
  AND (t.state IN ('queued', 'leased', 'sending')
       OR t.state IN ('accepted', 'unknown') AND coalesce(t.accepted_at, t.not_before) > %s)
ORDER BY t.id

-- name: newest_events_of
-- The newest of each event these words say, for each of these people.
WITH people AS (SELECT r.person FROM ROWS(person text) AS r),
     words AS (SELECT r.word FROM ROWS(word text) AS r)
SELECT g.person_id, g.kind, g.name, INSTANT(max(g.at))
FROM people AS p
JOIN ledger_signal AS g ON g.person_id = p.person
WHERE g.kind IN (SELECT word FROM words) AND g.at <= %s AND NOT g.is_void
GROUP BY g.person_id, g.kind, g.name
UNION ALL
SELECT v.person, 'event', v.deed, INSTANT(max(v.at))
FROM people AS p
JOIN ledger_event AS v ON v.person = p.person
WHERE v.deed IN (SELECT word FROM words) AND v.at <= %s
GROUP BY v.person, v.deed

-- name: begin_sending
-- Mark as leaving what this worker still holds of journeys that run; say which it is.
-- PostgreSQL is given an array, by which it looks rows up one by one: a list it would compare
-- with everything that is leased, and with what was until the next vacuum.
WITH mine AS (
    SELECT t.id
    FROM ledger_touch AS t
    WHERE t.id IN (SELECT r.touch FROM ROWS(touch bigint) AS r)
    -- postgresql: AND t.id = ANY (ARRAY(SELECT s.touch FROM ROWS(touch bigint) AS s))
      AND t.state = 'leased' AND t.leased_by = %s
      AND NOT EXISTS (
          SELECT 1 FROM ledger_enrolment AS e JOIN ledger_journey AS j ON j.name = e.journey
          WHERE e.id = t.enrolment_id AND j.state <> 'running')
    ORDER BY t.id
    -- postgresql: FOR NO KEY UPDATE OF t
)
UPDATE ledger_touch
SET state = 'sending', lease_until = %s, not_before = %s, attempts = attempts + 1, outlet = %s
FROM mine
WHERE ledger_touch.id = mine.id AND ledger_touch.state = 'leased'
RETURNING ledger_touch.id

-- name: accept_messages
-- Write down that the provider took these, unless that is known. PostgreSQL is given them
-- twice: by an array it looks rows up one by one, where a join reads a small table whole.
UPDATE ledger_touch AS t
SET state = 'accepted', accepted_at = %s, provider_id = r.provider_id, reason = NULL,
    leased_by = '', lease_until = NULL, known_until = NULL
FROM ROWS(touch bigint, provider_id text) AS r
WHERE t.id = r.touch AND t.state IN ('queued', 'leased', 'sending', 'unknown')
    -- postgresql: AND t.id = ANY (ARRAY(SELECT s.touch FROM ROWS(touch bigint) AS s))

-- name: postpone_messages
-- Put what this worker holds back into the queue until then; say which it was.
UPDATE ledger_touch AS t
SET state = 'queued', leased_by = '', lease_until = NULL, not_before = r.until
FROM ROWS(touch bigint, until instant) AS r
WHERE t.id = r.touch AND t.state = 'leased' AND t.leased_by = %s
RETURNING id

-- name: add_last_answers
-- Append what the gate answered at the last look.
INSERT INTO ledger_decision (enrolment_id, step, at, answer, reason, until, is_ghost, detail)
SELECT r.enrolment, r.step, r.at, r.answer, r.reason, r.until, false, r.detail
FROM ROWS(enrolment bigint, step text, at instant, answer text, reason text, until instant,
          detail text) AS r

-- name: people_at
-- Who has an address with this hash, on their card or beside it, whatever its kind.
SELECT p.id FROM ledger_person AS p WHERE p.address_hash = %s AND NOT (p.address_hash = '')
UNION
SELECT p.id FROM ledger_person AS p WHERE p.phone_hash = %s AND NOT (p.phone_hash = '')
UNION
SELECT o.person_id FROM ledger_secondary_address AS o WHERE o.hash = %s
ORDER BY 1

-- name: touches_to
-- What left for these people through a channel since a while, the newest first.
SELECT t.id, t.person_id, t.state, t.provider_id, INSTANT(t.accepted_at),
       t.key, e.journey, t.version, t.step, e.rotation
FROM ROWS(person text) AS r
JOIN ledger_touch AS t ON t.person_id = r.person
JOIN ledger_enrolment AS e ON e.id = t.enrolment_id
WHERE t.channel = %s AND t.at > %s AND t.state IN ('sending', 'accepted', 'unknown', 'failed')
ORDER BY t.at DESC, t.id DESC

-- name: touch_named
-- What a provider took through a channel since a while and calls so, or begins to. It reads
-- the whole while, for the rare report that names no address anybody has.
SELECT t.id, t.person_id, t.state, t.provider_id, INSTANT(t.accepted_at),
       t.key, e.journey, t.version, t.step, e.rotation
FROM ledger_touch AS t
JOIN ledger_enrolment AS e ON e.id = t.enrolment_id
WHERE t.channel = %s AND t.accepted_at > %s
  AND (t.provider_id = %s OR substr(t.provider_id, 1, %s) = %s) AND t.provider_id <> ''
ORDER BY t.at DESC, t.id DESC

-- name: add_delivery
-- Keep what a provider said, once.
INSERT INTO ledger_delivery (key, channel, outlet, kind, at, touch, is_machine, is_permanent,
                             reason, recorded_at)
SELECT r.key, r.channel, r.outlet, r.kind, r.at, r.touch, r.is_machine, r.is_permanent,
       r.reason, r.recorded_at
FROM ROWS(key text, channel text, outlet text, kind text, at instant, touch bigint,
          is_machine boolean, is_permanent boolean, reason text, recorded_at instant) AS r
WHERE true
ON CONFLICT DO NOTHING
RETURNING key

-- name: keep_messages
-- Keep what was accepted until its person asks, unless that is over meanwhile.
INSERT INTO ledger_kept (touch, person_id, parts, until)
SELECT t.id, t.person_id, r.parts, r.until
FROM ROWS(touch bigint, parts text, until instant) AS r
JOIN ledger_touch AS t ON t.id = r.touch
JOIN ledger_enrolment AS e ON e.id = t.enrolment_id
JOIN ledger_person AS p ON p.id = t.person_id
WHERE t.state = 'accepted' AND p.erased_at IS NULL
  AND (e.ended_reason IS NULL OR e.ended_reason = 'finished')
ON CONFLICT DO NOTHING

-- name: kept_for
-- What is kept for somebody and may be shown at an instant, the newest first, of journeys that
-- run: read by the index of its person.
SELECT k.touch, k.parts, INSTANT(k.until)
FROM ledger_kept AS k
JOIN ledger_touch AS t ON t.id = k.touch
JOIN ledger_enrolment AS e ON e.id = t.enrolment_id
JOIN ledger_journey AS j ON j.name = e.journey
WHERE k.person_id = %s AND k.until > %s AND t.state = 'accepted' AND j.state = 'running'
ORDER BY k.touch DESC
LIMIT %s

-- name: drop_kept
-- Let go of what may be shown no more. What somebody else is about to withdraw is theirs.
DELETE FROM ledger_kept
WHERE id IN (
    SELECT k.id FROM ledger_kept AS k WHERE k.until <= %s ORDER BY k.id
    -- postgresql: FOR UPDATE SKIP LOCKED
)
