-- The ledger's hot statements, for SQLite (3.35 or newer) and PostgreSQL alike.
--
-- ROWS(column type, ...) AS r is a table made of one JSON parameter, a list of rows;
-- "instant" is the database's own timestamp, and INSTANT(column) reads one as ISO 8601
-- text in UTC; MOMENT(column) reads one as bulk.py wants it. A line that begins with "-- postgresql:" is a part of the statement
-- there and a remark on SQLite, where the one writer at a time needs no row locks.

-- name: know_people
-- Make an empty card for those of these people who have none yet.
INSERT INTO ledger_person (id, properties)
SELECT r.person, '{}'
FROM ROWS(person text) AS r
WHERE true
ON CONFLICT DO NOTHING

-- name: suppress
-- Suppress these people, and the address of this kind each has now; of both kinds for ''. Where
-- people have several of a kind, it is the person alone.
INSERT INTO ledger_suppression (channel, purpose, address_hash, person_id, reason, at)
SELECT r.channel, r.purpose,
       CASE WHEN r.kind = 'phone' THEN p.phone_hash
            WHEN r.kind IN ('', 'email') THEN p.address_hash ELSE '' END,
       p.id, r.reason, r.at
FROM ROWS(person text, channel text, purpose text, reason text, at instant, kind text) AS r
JOIN ledger_person AS p ON p.id = r.person
UNION ALL
SELECT r.channel, r.purpose, p.phone_hash, p.id, r.reason, r.at
FROM ROWS(person text, channel text, purpose text, reason text, at instant, kind text) AS r
JOIN ledger_person AS p ON p.id = r.person
WHERE r.kind = '' AND NOT (p.phone_hash = '')
ON CONFLICT DO NOTHING

-- name: suppressions_said
-- The suppressions of these people that were not lifted, in one order everywhere. A bounce says
-- nothing of another address.
SELECT s.person_id, s.channel, s.purpose, s.reason, INSTANT(min(s.at))
FROM ROWS(person text) AS r
JOIN ledger_suppression AS s ON s.person_id = r.person
WHERE s.channel <> %s AND s.reason <> 'bounce'
GROUP BY s.person_id, s.channel, s.purpose, s.reason
ORDER BY s.person_id, s.channel, s.purpose, s.reason

-- name: suppress_secondary
-- Suppress the addresses of this kind that these people have beside the cards'; both kinds for ''.
INSERT INTO ledger_suppression (channel, purpose, address_hash, person_id, reason, at)
SELECT r.channel, r.purpose, o.hash, o.person_id, r.reason, r.at
FROM ROWS(person text, channel text, purpose text, reason text, at instant, kind text) AS r
JOIN ledger_secondary_address AS o ON o.person_id = r.person
WHERE r.kind IN ('', o.kind)
ON CONFLICT DO NOTHING

-- name: suppress_addresses
-- Suppress these addresses, whoever has them: the one named, or else the one the person has
-- now. Where there is none, it is the person: what comes later may be what bounced. An address
-- that somebody's own suppression binds as far is bound already.
INSERT INTO ledger_suppression (channel, purpose, address_hash, person_id, reason, at)
SELECT x.channel, x.purpose, x.hash, CASE WHEN x.hash = '' THEN x.person END, x.reason, x.at
FROM (
    SELECT r.person, r.channel, r.purpose, r.reason, r.at,
           CASE WHEN r.hash <> '' THEN r.hash WHEN r.kind = 'phone' THEN p.phone_hash
                WHEN r.kind IN ('', 'email') THEN p.address_hash ELSE '' END AS hash
    FROM ROWS(person text, channel text, purpose text, reason text, at instant, kind text,
              hash text) AS r
    LEFT JOIN ledger_person AS p ON p.id = r.person
) AS x
WHERE x.hash = '' OR NOT EXISTS (
    SELECT 1 FROM ledger_suppression AS s
    WHERE s.address_hash = x.hash AND s.channel = x.channel AND s.purpose = x.purpose
      AND s.reason = x.reason AND s.person_id IS NOT NULL)
ON CONFLICT DO NOTHING

-- name: hashes_of
-- The keyed hashes of the addresses these people have now.
SELECT p.id, p.address_hash, p.phone_hash
FROM ROWS(person text) AS r
JOIN ledger_person AS p ON p.id = r.person

-- name: lives_of
-- Where these people live, and their phones, whose countries may speak of it.
SELECT p.id, p.country, p.phone
FROM ROWS(person text) AS r
JOIN ledger_person AS p ON p.id = r.person

-- name: rehash_suppressions
-- Keep under today's hash of an address what stands under one an earlier release made.
UPDATE ledger_suppression AS s
SET address_hash = r.hash
FROM ROWS(former text, hash text) AS r
WHERE s.address_hash = r.former
  AND NOT EXISTS (
      SELECT 1 FROM ledger_suppression AS o
      WHERE o.address_hash = r.hash AND o.channel = s.channel AND o.purpose = s.purpose
        AND o.reason = s.reason
        AND (o.person_id = s.person_id OR (o.person_id IS NULL AND s.person_id IS NULL)))

-- name: bind_spellings
-- Let what is suppressed by one hash bind another as well.
INSERT INTO ledger_suppression (channel, purpose, address_hash, reason, at)
SELECT s.channel, s.purpose, r.hash, s.reason, s.at
FROM ROWS(former text, hash text) AS r
JOIN ledger_suppression AS s ON s.address_hash = r.former
WHERE NOT EXISTS (
    SELECT 1 FROM ledger_suppression AS o
    WHERE o.address_hash = r.hash AND o.channel = s.channel AND o.purpose = s.purpose
      AND o.reason = s.reason)
ON CONFLICT DO NOTHING

-- name: past_of
-- What these people were through in one journey: the highest rotation, the newest entry,
-- whether one is open, and their arm. Somebody who was two persons may have several.
SELECT e.person_id, max(e.rotation), INSTANT(max(e.entered_at)),
       max(CASE WHEN e.ended_at IS NULL THEN 1 ELSE 0 END), coalesce(max(a.arm), max(e.arm))
FROM ROWS(person text) AS r
JOIN ledger_enrolment AS e ON e.person_id = r.person
LEFT JOIN ledger_assignment AS a ON a.person_id = e.person_id AND a.journey = e.journey
WHERE e.journey = %s
GROUP BY e.person_id

-- name: assign
-- Keep the first arm a person was drawn into, for ever.
-- Of somebody erased it is not kept what they were.
INSERT INTO ledger_assignment (person_id, journey, arm, assigned_at, version, covariates)
SELECT r.person, r.journey, r.arm, r.assigned_at, r.version,
       CASE WHEN p.erased_at IS NULL THEN r.covariates ELSE '{}' END
FROM ROWS(person text, journey text, arm text, assigned_at instant, version int,
          covariates jsonb) AS r
JOIN ledger_person AS p ON p.id = r.person
WHERE true
ON CONFLICT DO NOTHING

-- name: periods_of_holdout
-- The shares that the holdout of all marketing journeys had, with since when, oldest first.
SELECT h.number, h.share, INSTANT(h.since)
FROM ledger_holdout AS h
ORDER BY h.number

-- name: open_holdout
-- Remember another share; whoever was first to write this number has it.
INSERT INTO ledger_holdout (number, share, since)
SELECT r.number, r.share, r.since
FROM ROWS(number int, share float8, since instant) AS r
WHERE true
ON CONFLICT DO NOTHING

-- name: withheld_of
-- Those of these people who get nothing from any marketing journey.
SELECT a.person_id
FROM ROWS(person text) AS r
JOIN ledger_assignment AS a ON a.person_id = r.person
WHERE a.journey = '*' AND a.arm = 'holdout'

-- name: drawn_for_everything
-- Whom the holdout of all marketing journeys was drawn for: which arm, when, in which period.
SELECT a.person_id, a.arm, INSTANT(a.assigned_at), a.version
FROM ledger_assignment AS a
JOIN ledger_person AS p ON p.id = a.person_id
WHERE a.journey = '*' AND p.joined_to IS NULL AND (%s = '' OR a.person_id = %s)
ORDER BY a.person_id

-- name: save_people
-- Insert or update contact cards, but for people who were erased. One that says what it
-- said before is not written: most of them do, at every import.
INSERT INTO ledger_person (id, address, address_hash, country, timezone, phone, phone_hash,
                           properties)
SELECT r.id, r.address, r.address_hash, r.country, r.timezone, r.phone, r.phone_hash, r.properties
FROM ROWS(id text, address text, address_hash text, country text, timezone text, phone text,
          phone_hash text, properties jsonb) AS r
WHERE true
ON CONFLICT (id) DO UPDATE SET
    address = excluded.address, address_hash = excluded.address_hash,
    country = excluded.country, timezone = excluded.timezone, phone = excluded.phone,
    phone_hash = excluded.phone_hash, properties = excluded.properties
WHERE ledger_person.erased_at IS NULL
  AND (coalesce(ledger_person.address, '') <> coalesce(excluded.address, '')
       OR ledger_person.address_hash <> excluded.address_hash
       OR coalesce(ledger_person.country, '') <> coalesce(excluded.country, '')
       OR coalesce(ledger_person.timezone, '') <> coalesce(excluded.timezone, '')
       OR coalesce(ledger_person.phone, '') <> coalesce(excluded.phone, '')
       OR ledger_person.phone_hash <> excluded.phone_hash
       OR ledger_person.properties <> excluded.properties)
RETURNING id

-- name: contact_cards
-- The contact cards of these people.
SELECT p.id, p.address, p.country, p.timezone, p.properties, p.phone
FROM ROWS(person text) AS r
JOIN ledger_person AS p ON p.id = r.person

-- name: cards_of_their_own
-- The cards of those of these people who gave a part of it themselves, held until the commit.
SELECT p.id, p.address, p.country, p.timezone, p.properties, p.phone, p.said
FROM ROWS(person text) AS r
JOIN ledger_person AS p ON p.id = r.person
WHERE p.said <> ''
ORDER BY p.id
-- postgresql: FOR NO KEY UPDATE OF p

-- name: note_said
-- Remember which fields of their cards these people gave themselves.
UPDATE ledger_person AS p
SET said = r.said
FROM ROWS(person text, said text) AS r
WHERE p.id = r.person AND p.erased_at IS NULL

-- name: told_of_people
-- The digest of what was told last of each person, without the mark it begins with; that
-- of who was erased is empty.
SELECT p.id, substr(p.told, %s)
FROM ledger_person AS p
WHERE substr(p.told, 1, %s) = %s
UNION ALL
SELECT p.id, ''
FROM ledger_person AS p
WHERE p.erased_at IS NOT NULL

-- name: note_told
-- Remember what was told of these people.
UPDATE ledger_person AS p
SET told = r.told
FROM ROWS(person text, told text) AS r
WHERE p.id = r.person AND p.joined_to IS NULL AND p.erased_at IS NULL AND p.told <> r.told

-- name: erase_person
-- Forget a card; what stays of the person is that they were erased.
UPDATE ledger_person
SET address = NULL, address_hash = '', country = NULL, timezone = NULL, phone = NULL,
    phone_hash = '', properties = '{}', said = '', told = '',
    erased_at = coalesce(erased_at, %s)
WHERE id = %s

-- name: add_consents
-- Append consent records; an equal one is kept once. Say whose withdrawals are new.
INSERT INTO ledger_consent (person_id, channel, granted, at, source, wording)
SELECT r.person, r.channel, r.granted, r.at, r.source, r.wording
FROM ROWS(person text, channel text, granted boolean, at instant, source text, wording text) AS r
WHERE true
ON CONFLICT DO NOTHING
RETURNING person_id, channel, granted, INSTANT(at)

-- name: take_back_consents
-- Let these misread statements be none: each stays on record, of a channel that is none.
UPDATE ledger_consent AS c
SET channel = '-' || c.id, wording = c.channel || ': misread'
FROM ROWS(person text, channel text, granted boolean, at instant, source text) AS r
WHERE c.person_id = r.person AND c.channel = r.channel AND c.granted = r.granted
  AND c.at = r.at AND c.source = r.source
RETURNING person_id

-- name: said_since
-- Those of these withdrawals that the same source has on record after an instant.
SELECT r.number
FROM ROWS(number bigint, person text, channel text, source text, wording text, since instant) AS r
WHERE EXISTS (
    SELECT 1 FROM ledger_consent AS c
    WHERE c.person_id = r.person AND c.channel = r.channel AND NOT c.granted
      AND c.source = r.source AND c.wording = r.wording AND c.at > r.since)

-- name: hold_cards
-- These people's cards, held until the commit, in one order everywhere.
SELECT p.id
FROM ledger_person AS p
WHERE p.id IN (SELECT r.person FROM ROWS(person text) AS r)
ORDER BY p.id
-- postgresql: FOR NO KEY UPDATE

-- name: note_people
-- Write on their cards that there is more on file about these people.
UPDATE ledger_person
SET is_noted = true
WHERE NOT is_noted AND id IN (SELECT r.person FROM ROWS(person text) AS r)

-- name: statements_of
-- The statements of these people in their order; of one instant the no comes last.
SELECT c.person_id, c.channel, c.granted, INSTANT(c.at)
FROM ROWS(person text) AS r
JOIN ledger_consent AS c ON c.person_id = r.person
WHERE c.channel NOT LIKE '-%%'
ORDER BY c.at, c.granted DESC

-- name: sum_consents_up
-- Write on their cards what these people stated last.
UPDATE ledger_person AS p
SET statements = r.statements, stated_at = r.stated_at
FROM ROWS(person text, statements text, stated_at instant) AS r
WHERE p.id = r.person

-- name: withdrawn_messages
-- Marketing that has not left, or was not asked for, to people who withdrew and have not
-- granted since.
SELECT t.id
FROM ROWS(person text, channel text, at instant) AS r
JOIN ledger_touch AS t ON t.person_id = r.person AND t.channel = r.channel
WHERE (t.state IN ('queued', 'leased')
       OR EXISTS (SELECT 1 FROM ledger_kept AS k WHERE k.touch = t.id))
  AND t.is_marketing
  AND NOT EXISTS (
      SELECT 1 FROM ledger_consent AS c
      WHERE c.person_id = r.person AND c.channel = r.channel AND c.granted AND c.at > r.at)

-- name: withdrawn_stays
-- Who is on a list for marketing, withdrew since and has not granted it again.
SELECT s.id, INSTANT(max(r.at))
FROM ROWS(person text, channel text, at instant) AS r
JOIN ledger_stay AS s ON s.person_id = r.person AND s.channel = r.channel
JOIN ledger_touch AS t ON t.id = s.touch
WHERE s.requested_at IS NULL AND t.is_marketing
  AND NOT EXISTS (
      SELECT 1 FROM ledger_consent AS c
      WHERE c.person_id = r.person AND c.channel = r.channel AND c.granted AND c.at > r.at)
GROUP BY s.id
ORDER BY s.id

-- name: save_preferences
-- Keep what a person asked for.
INSERT INTO ledger_preference (person_id, snoozed_until, muted_topics, at_most_every_seconds)
SELECT r.person, r.snoozed_until, r.topics, r.seconds
FROM ROWS(person text, snoozed_until instant, topics text, seconds bigint) AS r
WHERE true
ON CONFLICT (person_id) DO UPDATE SET
    snoozed_until = excluded.snoozed_until, muted_topics = excluded.muted_topics,
    at_most_every_seconds = excluded.at_most_every_seconds

-- name: exclude
-- Keep why nobody writes to a person, and until when.
INSERT INTO ledger_exclusion (person_id, kind, at, until)
SELECT r.person, r.kind, r.at, r.until
FROM ROWS(person text, kind text, at instant, until instant) AS r
WHERE true
ON CONFLICT (person_id, kind) DO UPDATE SET at = excluded.at, until = excluded.until

-- name: enrol
-- Insert enrolments; one that exists is left alone, and so is one of an erased person.
INSERT INTO ledger_enrolment (person_id, journey, version, rotation, arm, entered_at,
                              last_order_at)
SELECT r.person, r.journey, r.version, r.rotation, r.arm, r.entered_at, r.last_order_at
FROM ROWS(person text, journey text, version int, rotation int, arm text, entered_at instant,
          last_order_at instant) AS r
JOIN ledger_person AS p ON p.id = r.person
WHERE p.erased_at IS NULL AND p.joined_to IS NULL
ON CONFLICT DO NOTHING
RETURNING id, person_id, journey, rotation

-- name: hold_lanes
-- Those of these lanes that have somebody due and that nobody else holds, held.
SELECT l.id
FROM ledger_lane AS l
WHERE l.id IN (SELECT r.lane FROM ROWS(lane int) AS r)
  AND EXISTS (SELECT 1 FROM ledger_place AS s WHERE s.lane = l.id AND s.due_at <= %s)
ORDER BY l.id
-- postgresql: FOR UPDATE OF l SKIP LOCKED

-- name: due_in_lane
-- Who is due in one lane, the longest waiting first, and most of what the gate asks. What
-- few people have is only said to be there. A row somebody is changing is left to them.
-- LIMIT 1 and not EXISTS, which PostgreSQL may answer from a hash of the whole table, a lane.
SELECT s.enrolment_id, e.person_id, e.journey, e.version, e.rotation, e.arm,
       MOMENT(e.entered_at), MOMENT(e.last_order_at), s.position,
       MOMENT(s.ready_at), MOMENT(s.due_at), s.wakes_on,
       p.country, p.timezone, p.phone, coalesce(p.address, '') <> '', p.erased_at IS NOT NULL,
       CASE WHEN p.stated_at > %s THEN '?' ELSE p.statements END,
       (SELECT MOMENT(max(at)) FROM ledger_signal
        WHERE person_id = e.person_id AND kind = 'order' AND NOT is_void),
       p.is_noted OR (NOT (p.address_hash = '') AND
           (SELECT true FROM ledger_suppression
            WHERE address_hash = p.address_hash AND NOT (address_hash = '') LIMIT 1) IS NOT NULL)
       OR (NOT (p.phone_hash = '') AND
           (SELECT true FROM ledger_suppression
            WHERE address_hash = p.phone_hash AND NOT (address_hash = '') LIMIT 1) IS NOT NULL),
       (SELECT true FROM ledger_touch WHERE person_id = e.person_id LIMIT 1) IS NOT NULL,
       p.is_noted
FROM ledger_place AS s
JOIN ledger_enrolment AS e ON e.id = s.enrolment_id
JOIN ledger_person AS p ON p.id = e.person_id
WHERE s.lane = %s AND s.due_at <= %s
  AND e.journey NOT IN (SELECT name FROM ledger_journey WHERE state = 'paused')
ORDER BY s.due_at, s.enrolment_id
LIMIT %s
-- postgresql: FOR NO KEY UPDATE OF s SKIP LOCKED

-- name: plan_by_index
-- Have this transaction look rows up one by one: a plan that reads a table whole is for
-- more rows than a batch has, but is what unknown sizes make the planner choose.
SELECT set_config(r.name, 'off', true)
FROM ROWS(name text) AS r

-- name: stopped_journeys
-- The journeys that were stopped.
SELECT name FROM ledger_journey WHERE state = 'stopped'

-- name: suppressed_of
-- Where and what for these people, or the addresses they have now, are suppressed; of an
-- address, of which kind it is.
SELECT p.id, s.channel, s.purpose, 'email'
FROM ROWS(person text) AS r
JOIN ledger_person AS p ON p.id = r.person
JOIN ledger_suppression AS s ON s.address_hash = p.address_hash
WHERE NOT (p.address_hash = '') AND NOT (s.address_hash = '')
UNION
SELECT p.id, s.channel, s.purpose, 'phone'
FROM ROWS(person text) AS r
JOIN ledger_person AS p ON p.id = r.person
JOIN ledger_suppression AS s ON s.address_hash = p.phone_hash
WHERE NOT (p.phone_hash = '') AND NOT (s.address_hash = '')
UNION
SELECT s.person_id, s.channel, s.purpose, ''
FROM ROWS(person text) AS r
JOIN ledger_suppression AS s ON s.person_id = r.person

-- name: wishes_of
-- What these people asked for beside "never".
SELECT w.person_id, INSTANT(w.snoozed_until), w.muted_topics, w.at_most_every_seconds
FROM ROWS(person text) AS r
JOIN ledger_preference AS w ON w.person_id = r.person

-- name: exclusions_of
-- Why nobody writes to these people at this instant.
SELECT x.person_id, x.kind
FROM ROWS(person text) AS r
JOIN ledger_exclusion AS x ON x.person_id = r.person
WHERE x.at <= %s AND (x.until IS NULL OR x.until > %s)
ORDER BY x.kind

-- name: touches_of
-- Touches of these people since a while, what waits to leave, and all of these enrolments.
-- What was cancelled or failed reached nobody; what is unknown may have, when last tried.
SELECT t.person_id, t.enrolment_id, t.step, t.channel, t.state, t.is_marketing,
       INSTANT(t.at), INSTANT(coalesce(t.accepted_at, t.not_before))
FROM ROWS(person text, enrolment bigint) AS r
JOIN ledger_touch AS t ON t.person_id = r.person
WHERE t.enrolment_id = r.enrolment
   OR t.state IN ('queued', 'leased', 'sending')
   OR (t.state IN ('accepted', 'unknown', 'ghost')
       AND coalesce(t.accepted_at, t.not_before) > %s)
ORDER BY t.at, t.id

-- name: deeds_of
-- What these people did since a while, of what these words say, oldest first. A report is
-- read as it came; what a signal says of itself is its kind, or its name.
WITH people AS (SELECT r.person FROM ROWS(person text) AS r),
     words AS (SELECT r.word FROM ROWS(word text) AS r)
SELECT g.person_id, g.kind, g.name, INSTANT(g.at)
FROM people AS p
JOIN ledger_signal AS g ON g.person_id = p.person
WHERE g.kind IN (SELECT word FROM words) AND g.at > %s AND NOT g.is_void
UNION ALL
SELECT v.person, 'event', v.deed, INSTANT(v.at)
FROM people AS p
JOIN ledger_event AS v ON v.person = p.person
WHERE v.deed IN (SELECT word FROM words) AND v.at > %s
ORDER BY 4

-- name: move_places_postgresql
-- Move people on to where the temporary table says.
UPDATE ledger_place AS s
SET position = m.position, ready_at = m.ready_at, due_at = m.due_at, wakes_on = m.wakes_on
FROM ledger_moves AS m
WHERE s.enrolment_id = m.enrolment_id

-- name: move_places_sqlite
-- Move one person on.
UPDATE ledger_place SET position = ?2, ready_at = ?3, due_at = ?4, wakes_on = ?5
WHERE enrolment_id = ?1

-- name: move_places_alike_postgresql
-- Move people on to one place, whom it looks up in the order of the index.
UPDATE ledger_place SET position = %s, ready_at = %s, due_at = %s, wakes_on = %s
WHERE enrolment_id = ANY (%s::bigint[])

-- name: move_places_alike_sqlite
-- Move people on to one place.
UPDATE ledger_place SET position = %s, ready_at = %s, due_at = %s, wakes_on = %s
WHERE enrolment_id IN (SELECT value FROM json_each(%s))

-- name: variants_given
-- The variants that these people were given of these steps in earlier rotations, oldest first.
SELECT r.person, r.journey, r.step, t.variant
FROM ROWS(person text, journey text, step text) AS r
JOIN ledger_enrolment AS e ON e.person_id = r.person AND e.journey = r.journey
JOIN ledger_touch AS t ON t.enrolment_id = e.id AND t.step = r.step
WHERE t.variant <> ''
ORDER BY e.rotation

-- name: variants_of
-- Every message of a journey that has variants, with the first click of a person in it.
SELECT x.person_id, x.version, x.rotation, x.step, x.variant, INSTANT(x.at), x.has_left,
       INSTANT(x.clicked_at)
FROM (
  SELECT t.id, t.person_id, t.version, e.rotation, t.step, t.variant, t.at,
         t.state IN ('accepted', 'unknown') AS has_left,
         (SELECT MIN(d.at) FROM ledger_delivery AS d
          WHERE d.touch = t.id AND d.kind = 'clicked' AND NOT d.is_machine) AS clicked_at
  FROM ledger_enrolment AS e
  JOIN ledger_touch AS t ON t.enrolment_id = e.id
  WHERE e.journey = %s AND t.variant <> '' AND t.state <> 'ghost'
) AS x
ORDER BY x.at, x.id

-- name: click_rate
-- How many messages by a channel have left until an instant, and in how many a person clicked.
SELECT COUNT(*), COUNT(CASE WHEN EXISTS (
         SELECT 1 FROM ledger_delivery AS d
         WHERE d.touch = t.id AND d.kind = 'clicked' AND NOT d.is_machine
       ) THEN 1 END)
FROM ledger_touch AS t
WHERE t.channel = %s AND t.state = 'accepted' AND t.accepted_at <= %s

-- name: set_versions
-- Write down that these enrolments are of another version now.
UPDATE ledger_enrolment AS e
SET version = r.version
FROM ROWS(enrolment bigint, version int) AS r
WHERE e.id = r.enrolment

-- name: hold_budgets
-- What is reserved of these budgets in a month; held until the commit.
SELECT b.name, b.reserved_micros
FROM ledger_budget AS b
WHERE b.month = %s AND b.name IN (SELECT r.name FROM ROWS(name text) AS r)
ORDER BY b.name
-- postgresql: FOR NO KEY UPDATE

-- name: open_budgets
-- Begin these budgets for a month.
INSERT INTO ledger_budget (name, month, reserved_micros)
SELECT r.name, r.month, 0
FROM ROWS(name text, month text) AS r
WHERE true
ON CONFLICT DO NOTHING

-- name: add_signals
-- Append signals; say which keys were not known yet. An order that is on record follows what
-- is told of it now, and is news again if it was at another time or has become a purchase.
INSERT INTO ledger_signal (person_id, kind, name, at, key, recorded_at, source, subject, arrived_at)
SELECT r.person, r.kind, r.name, r.at, r.key, r.recorded_at, r.source, r.subject, r.arrived_at
FROM ROWS(person text, kind text, name text, at instant, key text, recorded_at instant,
          source text, subject text, arrived_at instant) AS r
WHERE true
ON CONFLICT (key) DO UPDATE SET
    at = excluded.at, recorded_at = excluded.recorded_at, is_void = false,
    arrived_at = coalesce(excluded.arrived_at, ledger_signal.arrived_at)
WHERE NOT (ledger_signal.subject = '')
  AND (ledger_signal.at <> excluded.at OR ledger_signal.is_void
       OR (excluded.arrived_at IS NOT NULL
           AND (ledger_signal.arrived_at IS NULL
                OR ledger_signal.arrived_at < excluded.arrived_at)))
RETURNING key

-- name: extent
-- The newest row of each table that only grows, and when a provider last took a message. Each
-- is read from the end of an index.
SELECT
    COALESCE((SELECT MAX(id) FROM ledger_enrolment), 0),
    COALESCE((SELECT MAX(id) FROM ledger_touch), 0),
    COALESCE((SELECT MAX(id) FROM ledger_signal), 0),
    COALESCE((SELECT MAX(id) FROM ledger_event), 0),
    COALESCE((SELECT MAX(id) FROM ledger_consent), 0),
    COALESCE((SELECT MAX(id) FROM ledger_pendingconsent), 0),
    COALESCE((SELECT MAX(id) FROM ledger_suppression), 0),
    COALESCE((SELECT MAX(id) FROM ledger_decision), 0),
    COALESCE((SELECT MAX(id) FROM ledger_journeyversion), 0),
    COALESCE((SELECT MAX(id) FROM ledger_auditentry), 0),
    (SELECT INSTANT(MAX(accepted_at)) FROM ledger_touch)

-- name: orders_on_record
-- The orders of which a purchase is on record, so many at most.
SELECT source, subject FROM ledger_signal WHERE NOT (subject = '') LIMIT %s

-- name: hold_orders
-- The purchases on record of these orders, held until the commit, in the order of add_signals.
SELECT g.key
FROM ROWS(source text, subject text) AS r
JOIN ledger_signal AS g ON g.source = r.source AND g.subject = r.subject
WHERE NOT (g.subject = '')
ORDER BY g.key
-- postgresql: FOR NO KEY UPDATE OF g

-- name: correct_orders
-- Let the purchases on record follow what the facts say of their orders now. What is another's
-- now is none of the former customer's. The facts may not know of a join that was made since.
UPDATE ledger_signal AS g
SET at = r.at,
    is_void = r.is_void OR g.person_id <> coalesce(
        (SELECT a.person FROM ledger_alias AS a WHERE a.id = r.person), r.person)
FROM ROWS(source text, subject text, person text, at instant, is_void boolean) AS r
WHERE g.source = r.source AND g.subject = r.subject AND NOT (g.subject = '')
  AND (g.at <> r.at OR g.is_void <> (r.is_void OR g.person_id <> coalesce(
        (SELECT a.person FROM ledger_alias AS a WHERE a.id = r.person), r.person)))

-- name: note_observation
-- Remember when a pass first looked at a version of the facts.
INSERT INTO ledger_observation (number, seen_at)
SELECT r.number, r.seen_at
FROM ROWS(number bigint, seen_at instant) AS r
WHERE true
ON CONFLICT DO NOTHING

-- name: observations
-- The versions of the facts that passes looked at, oldest first.
SELECT number, INSTANT(seen_at) FROM ledger_observation ORDER BY number

-- name: note_look
-- Remember that a journey's figures were looked at; the first look of a day stays.
INSERT INTO ledger_look (journey, looked_on, looked_at)
SELECT r.journey, r.looked_on, r.looked_at
FROM ROWS(journey text, looked_on date, looked_at instant) AS r
WHERE true
ON CONFLICT DO NOTHING

-- name: looks
-- When a journey's figures were looked at before a day, oldest first.
SELECT INSTANT(looked_at) FROM ledger_look
WHERE journey = %s AND looked_on < %s ORDER BY looked_at

-- name: hold_open_of
-- These people's open enrolments; held until the commit, in one order everywhere.
SELECT e.id, e.person_id, e.journey, e.version,
       INSTANT(e.entered_at), INSTANT(e.last_order_at), s.wakes_on, INSTANT(s.due_at)
FROM ledger_enrolment AS e
JOIN ledger_place AS s ON s.enrolment_id = e.id
WHERE e.person_id IN (SELECT r.person FROM ROWS(person text) AS r)
ORDER BY s.enrolment_id
-- postgresql: FOR NO KEY UPDATE OF s

-- name: finished_but_reaching
-- These people's enrolments that came to their end, but not all of their messages left or were
-- asked for, or they put them on a list that they are on still. Two lists of the same people.
SELECT e.id, e.person_id, e.journey, e.version,
       INSTANT(e.entered_at), INSTANT(e.last_order_at), '', INSTANT(e.entered_at)
FROM ROWS(person text) AS r
JOIN ledger_touch AS t ON t.person_id = r.person
JOIN ledger_enrolment AS e ON e.id = t.enrolment_id
WHERE (t.state IN ('queued', 'leased')
       OR EXISTS (SELECT 1 FROM ledger_kept AS k WHERE k.touch = t.id))
  AND e.ended_reason = 'finished'
UNION
SELECT e.id, e.person_id, e.journey, e.version,
       INSTANT(e.entered_at), INSTANT(e.last_order_at), '', INSTANT(e.entered_at)
FROM ROWS(person text) AS r
JOIN ledger_stay AS s ON s.person_id = r.person
JOIN ledger_touch AS t ON t.id = s.touch
JOIN ledger_enrolment AS e ON e.id = t.enrolment_id
WHERE s.requested_at IS NULL AND e.ended_reason = 'finished'
ORDER BY 1

-- name: end_enrolments
-- End those of these enrolments that are still open.
UPDATE ledger_enrolment AS e
SET ended_at = r.ended_at, ended_reason = r.reason
FROM ROWS(enrolment bigint, ended_at instant, reason text) AS r
WHERE e.id = r.enrolment AND e.ended_at IS NULL

-- name: leave_places
-- Take these enrolments out of the queue.
DELETE FROM ledger_place
WHERE enrolment_id IN (SELECT r.enrolment FROM ROWS(enrolment bigint) AS r)

-- name: look_at
-- Look at these enrolments at another time.
UPDATE ledger_place AS s
SET due_at = r.due_at
FROM ROWS(enrolment bigint, due_at instant) AS r
WHERE s.enrolment_id = r.enrolment

-- name: triggered
-- Whom an event lets in, and when it happened last.
SELECT x.person, INSTANT(max(x.at))
FROM (
    SELECT g.person_id AS person, g.at
    FROM ledger_signal AS g
    WHERE g.kind = %s AND g.name = %s AND g.at > %s AND g.at <= %s AND NOT g.is_void
    UNION ALL
    SELECT v.person, v.at
    FROM ledger_event AS v
    WHERE v.deed = %s AND v.at > %s AND v.at <= %s
) AS x
GROUP BY x.person
HAVING count(*) >= %s

-- name: start_journey
-- Open a journey, or let one that was paused or stopped go on.
INSERT INTO ledger_journey (name, state, changed_at, opened_at)
SELECT r.name, 'running', r.at, r.opened_at
FROM ROWS(name text, at instant, opened_at instant) AS r
WHERE true
ON CONFLICT (name) DO UPDATE SET state = 'running', changed_at = excluded.changed_at
WHERE ledger_journey.state <> 'running'

-- name: steer_journey
-- Bring a journey from one of these states into another.
UPDATE ledger_journey
SET state = %s, changed_at = %s
WHERE name = %s AND state IN (SELECT r.state FROM ROWS(state text) AS r)

-- name: hold_open_in
-- The open enrolments of a journey, after a number; held until the commit.
SELECT e.id
FROM ledger_enrolment AS e
JOIN ledger_place AS s ON s.enrolment_id = e.id
WHERE e.journey = %s AND e.id > %s
ORDER BY s.enrolment_id
LIMIT %s
-- postgresql: FOR NO KEY UPDATE OF s

-- name: overdue_in
-- The open enrolments of a journey that are due, and since when; held.
SELECT e.id, INSTANT(s.due_at)
FROM ledger_enrolment AS e
JOIN ledger_place AS s ON s.enrolment_id = e.id
WHERE e.journey = %s AND s.due_at <= %s
ORDER BY s.enrolment_id
-- postgresql: FOR NO KEY UPDATE OF s

-- name: ready_since
-- Since when these enrolments have been ready, and their version.
SELECT s.enrolment_id, e.version, INSTANT(s.ready_at)
FROM ROWS(enrolment bigint) AS r
JOIN ledger_place AS s ON s.enrolment_id = r.enrolment
JOIN ledger_enrolment AS e ON e.id = s.enrolment_id

-- name: waiting_messages_in
-- The messages of a journey that wait to leave, in their order; held.
SELECT t.id, INSTANT(t.not_before), INSTANT(t.expires_at)
FROM ledger_touch AS t
JOIN ledger_enrolment AS e ON e.id = t.enrolment_id
WHERE t.state = 'queued' AND e.journey = %s
ORDER BY t.not_before, t.id
-- postgresql: FOR NO KEY UPDATE OF t

-- name: postpone_to
-- Let these messages leave no sooner than this.
UPDATE ledger_touch AS t
SET not_before = r.until
FROM ROWS(touch bigint, until instant) AS r
WHERE t.id = r.touch AND t.state = 'queued'

-- name: standing_in
-- Where the open enrolments of one version of a journey stand; held.
SELECT e.id, s.position
FROM ledger_enrolment AS e
JOIN ledger_place AS s ON s.enrolment_id = e.id
WHERE e.journey = %s AND e.version = %s
ORDER BY s.enrolment_id
-- postgresql: FOR NO KEY UPDATE OF s

-- name: stand_at
-- Put these enrolments at another place of another version.
UPDATE ledger_place AS s
SET position = r.position
FROM ROWS(enrolment bigint, position int) AS r
WHERE s.enrolment_id = r.enrolment

-- name: watched
-- Whose returns still matter, once each: who is in a journey, by their places rather than by
-- reading every enrolment there ever was, whoever has a message that may still leave or be
-- shown, and whoever is on a list.
SELECT e.person_id, INSTANT(e.entered_at), INSTANT(e.last_order_at)
FROM ledger_place AS s
JOIN ledger_enrolment AS e ON e.id = s.enrolment_id
UNION
SELECT e.person_id, INSTANT(e.entered_at), INSTANT(e.last_order_at)
FROM ledger_touch AS t
JOIN ledger_enrolment AS e ON e.id = t.enrolment_id
WHERE t.state = 'queued' OR t.state = 'leased'
UNION
SELECT e.person_id, INSTANT(e.entered_at), INSTANT(e.last_order_at)
FROM ledger_kept AS k
JOIN ledger_touch AS t ON t.id = k.touch
JOIN ledger_enrolment AS e ON e.id = t.enrolment_id
UNION
SELECT e.person_id, INSTANT(e.entered_at), INSTANT(e.last_order_at)
FROM ledger_stay AS s
JOIN ledger_touch AS t ON t.id = s.touch
JOIN ledger_enrolment AS e ON e.id = t.enrolment_id
WHERE s.requested_at IS NULL
