-- What identity asks of the ledger, in the manner of ledger.sql.

-- name: hold_persons
-- Alone say who is one person, until the commit. Whoever writes under a person's id has
-- the shared form of this lock: nobody writes to a person who is just becoming another.
-- It is taken before all others, so that nobody waits in a circle.
SELECT 1
-- postgresql: FROM (SELECT pg_advisory_xact_lock(7241901)) AS held

-- name: share_persons
-- Let nobody change who is one person until the commit.
SELECT 1
-- postgresql: FROM (SELECT pg_advisory_xact_lock_shared(7241901)) AS held

-- name: persons_of
-- Whom those of these ids stand for that stand for somebody else.
SELECT a.id, a.person
FROM ROWS(id text) AS r
JOIN ledger_alias AS a ON a.id = r.id

-- name: known_persons
-- Every customer id that goes by another; anonymous ones begin with a space.
SELECT a.id, a.person
FROM ledger_alias AS a
WHERE substr(a.id, 1, 1) <> ' '
ORDER BY a.id

-- name: persons_version
-- A word that changes whenever somebody becomes another person, or themselves again.
SELECT coalesce(max(j.id), 0), count(j.undone_at), (SELECT count(*) FROM ledger_settling)
FROM ledger_join AS j

-- name: live_persons
-- Those of these ids who are persons on file.
SELECT p.id
FROM ROWS(id text) AS r
JOIN ledger_person AS p ON p.id = r.id
WHERE p.joined_to IS NULL

-- name: cards_of
-- What is on the cards of these people.
SELECT p.id, p.erased_at IS NOT NULL, p.statements, p.is_noted
FROM ROWS(person text) AS r
JOIN ledger_person AS p ON p.id = r.person
ORDER BY p.id

-- name: fill_cards
-- Put on the cards of those who stay what they lack and the others have.
UPDATE ledger_person AS p
SET address = coalesce(p.address, g.address),
    address_hash = CASE WHEN p.address IS NULL THEN g.address_hash ELSE p.address_hash END,
    country = coalesce(p.country, g.country), timezone = coalesce(p.timezone, g.timezone),
    phone = coalesce(p.phone, g.phone),
    phone_hash = CASE WHEN p.phone IS NULL THEN g.phone_hash ELSE p.phone_hash END,
    properties = CASE WHEN p.properties = '{}' THEN g.properties ELSE p.properties END,
    told = ''
FROM ROWS(gone text, kept text) AS r
JOIN ledger_person AS g ON g.id = r.gone
WHERE p.id = r.kept AND p.erased_at IS NULL

-- name: keep_addresses
-- Let those who stay have the addresses that go with the others' cards.
INSERT INTO ledger_secondary_address (person_id, kind, hash)
SELECT r.kept, 'email', g.address_hash
FROM ROWS(gone text, kept text) AS r
JOIN ledger_person AS g ON g.id = r.gone
WHERE NOT (g.address_hash = '')
UNION
SELECT r.kept, 'phone', g.phone_hash
FROM ROWS(gone text, kept text) AS r
JOIN ledger_person AS g ON g.id = r.gone
WHERE NOT (g.phone_hash = '')
ON CONFLICT DO NOTHING

-- name: leave_cards
-- Empty the cards of those who are another now.
UPDATE ledger_person AS p
SET joined_to = r.kept, address = NULL, address_hash = '', country = NULL, timezone = NULL,
    phone = NULL, phone_hash = '', properties = '{}', statements = '', stated_at = NULL,
    said = '', told = ''
FROM ROWS(gone text, kept text) AS r
WHERE p.id = r.gone

-- name: follow_cards
-- Let those who were joined to one of these be joined to whom those are now.
UPDATE ledger_person AS p
SET joined_to = r.kept
FROM ROWS(gone text, kept text) AS r
WHERE p.joined_to = r.gone

-- name: revive_cards
-- Let these people be persons of their own again.
UPDATE ledger_person AS p
SET joined_to = NULL
FROM ROWS(person text) AS r
WHERE p.id = r.person

-- name: tell_again
-- Forget what was told of these people: their cards are read again.
UPDATE ledger_person AS p
SET told = ''
FROM ROWS(person text) AS r
WHERE p.id = r.person AND p.told <> ''

-- name: give_events
-- Let reports of who goes remember their id, as far as their facts may still be written.
UPDATE ledger_event AS e
SET given = r.gone
FROM ROWS(gone text, kept text) AS r
WHERE e.person = r.gone AND e.given IS NULL AND (e.exported_at IS NULL OR NOT (e.subject = ''))

-- name: orders_given
-- Purchases of those who stay that were reported under an id of those who leave.
SELECT DISTINCT g.id, r.gone
FROM ROWS(given text, gone text, kept text) AS r
JOIN ledger_event AS e ON e.given = r.given AND NOT (e.subject = '')
JOIN ledger_signal AS g
  ON g.person_id = r.kept AND g.kind = 'order' AND g.source = e.source AND g.subject = e.subject

-- name: return_events
-- Let reports that came under an id of those who leave be theirs.
UPDATE ledger_event AS e
SET person = r.gone
FROM ROWS(given text, gone text, kept text) AS r
WHERE e.given = r.given AND e.person = r.kept

-- name: return_visitors
-- Let visitors who were said to be an id of those who leave stand for them.
UPDATE ledger_alias AS a
SET person = r.gone
FROM ROWS(given text, gone text, kept text) AS r
WHERE a.person = r.kept AND a.given = r.given

-- name: copy_fields
-- Put on the second person's card those of the first one's fields that are asked for.
UPDATE ledger_person AS p
SET address = CASE WHEN r.address THEN o.address ELSE p.address END,
    address_hash = CASE WHEN r.address THEN o.address_hash ELSE p.address_hash END,
    phone = CASE WHEN r.phone THEN o.phone ELSE p.phone END,
    phone_hash = CASE WHEN r.phone THEN o.phone_hash ELSE p.phone_hash END,
    country = CASE WHEN r.country THEN o.country ELSE p.country END,
    timezone = CASE WHEN r.timezone THEN o.timezone ELSE p.timezone END,
    properties = r.properties
FROM ROWS(other text, person text, address boolean, phone boolean, country boolean,
          timezone boolean, properties jsonb) AS r
JOIN ledger_person AS o ON o.id = r.other
WHERE p.id = r.person AND p.erased_at IS NULL

-- name: clear_fields
-- Empty these fields of a card; what the facts say of them is told again.
UPDATE ledger_person AS p
SET address = CASE WHEN r.address THEN NULL ELSE p.address END,
    address_hash = CASE WHEN r.address THEN '' ELSE p.address_hash END,
    phone = CASE WHEN r.phone THEN NULL ELSE p.phone END,
    phone_hash = CASE WHEN r.phone THEN '' ELSE p.phone_hash END,
    country = CASE WHEN r.country THEN NULL ELSE p.country END,
    timezone = CASE WHEN r.timezone THEN NULL ELSE p.timezone END,
    properties = r.properties
FROM ROWS(person text, address boolean, phone boolean, country boolean, timezone boolean,
          properties jsonb) AS r
WHERE p.id = r.person AND p.erased_at IS NULL

-- name: widen_exclusions
-- Let an exclusion of who stays last as long as the longest of the same kind.
UPDATE ledger_exclusion AS x
SET until = CASE WHEN x.until IS NULL OR m.is_for_good = 1 THEN NULL
                 WHEN m.until > x.until THEN m.until ELSE x.until END,
    at = CASE WHEN m.at < x.at THEN m.at ELSE x.at END
FROM (
    SELECT r.kept, g.kind, max(g.until) AS until, min(g.at) AS at,
           max(CASE WHEN g.until IS NULL THEN 1 ELSE 0 END) AS is_for_good
    FROM ROWS(gone text, kept text) AS r
    JOIN ledger_exclusion AS g ON g.person_id = r.gone
    GROUP BY r.kept, g.kind
) AS m
WHERE x.person_id = m.kept AND x.kind = m.kind

-- name: assignments_of
-- The arms these people were drawn into.
SELECT a.id, a.person_id, a.journey, a.arm, INSTANT(a.assigned_at), a.version, a.covariates
FROM ROWS(person text) AS r
JOIN ledger_assignment AS a ON a.person_id = r.person
ORDER BY a.assigned_at, a.id

-- name: draw_again
-- Write down these arms in place of what there was.
UPDATE ledger_assignment AS a
SET person_id = r.person, arm = r.arm, assigned_at = r.assigned_at, version = r.version,
    covariates = r.covariates
FROM ROWS(id bigint, person text, arm text, assigned_at instant, version int,
          covariates jsonb) AS r
WHERE a.id = r.id

-- name: enrolments_to_join
-- The enrolments of these people, with how far each went.
SELECT e.id, e.person_id, e.journey, e.version, e.rotation, e.arm, INSTANT(e.entered_at),
       e.ended_at IS NULL,
       (SELECT count(*) FROM ledger_touch AS t WHERE t.enrolment_id = e.id)
FROM ROWS(person text) AS r
JOIN ledger_enrolment AS e ON e.person_id = r.person
ORDER BY e.entered_at, e.id

-- name: move_enrolments
-- Let these enrolments be of another person, as another rotation.
UPDATE ledger_enrolment AS e
SET person_id = r.person, rotation = r.rotation
FROM ROWS(enrolment bigint, person text, rotation int) AS r
WHERE e.id = r.enrolment

-- name: move_lanes
-- Put where these enrolments stand into the lanes of their persons.
UPDATE ledger_place AS s
SET lane = r.lane
FROM ROWS(enrolment bigint, lane int) AS r
WHERE s.enrolment_id = r.enrolment

-- name: touches_of_enrolments
-- The touches of these enrolments.
SELECT t.id, t.enrolment_id, t.version, t.step, t.state, t.key
FROM ROWS(enrolment bigint) AS r
JOIN ledger_touch AS t ON t.enrolment_id = r.enrolment
ORDER BY t.id

-- name: move_touches
-- Let these touches be of another enrolment and person, under the key they have outside.
UPDATE ledger_touch AS t
SET enrolment_id = r.enrolment, person_id = r.person, key = r.key
FROM ROWS(touch bigint, enrolment bigint, person text, key text) AS r
WHERE t.id = r.touch

-- name: forget_aliases
-- Let these ids stand for themselves again.
DELETE FROM ledger_alias
WHERE id IN (SELECT r.id FROM ROWS(id text) AS r)

-- name: joins_with
-- What made these ids go by another, the newest first.
SELECT j.id, j.gone, j.kept, j.moved
FROM ROWS(gone text) AS r
JOIN ledger_join AS j ON j.gone = r.gone
WHERE j.undone_at IS NULL
ORDER BY j.id DESC

-- name: undo_joins
-- Write down that these joins were none.
UPDATE ledger_join AS j
SET undone_at = r.at, undone_by = r.who
FROM ROWS(number bigint, at instant, who text) AS r
WHERE j.id = r.number

-- name: told_joins
-- What somebody said of who is one and who is not; undone ones only if somebody undid them.
SELECT j.gone, j.kept, j.reason, j.undone_at IS NOT NULL
FROM ledger_join AS j
WHERE (j.undone_at IS NULL AND j.reason IN ('alias', 'by_hand'))
   OR (j.undone_at IS NOT NULL AND j.undone_by <> 'rules')

-- name: aliases_without_join
-- Ids that stood for another before joins were written down.
SELECT a.id, a.person
FROM ledger_alias AS a
WHERE substr(a.id, 1, 1) <> ' '
  AND NOT EXISTS (SELECT 1 FROM ledger_join AS j WHERE j.gone = a.id)

-- name: aliases_left_behind
-- Ids that stand for another though their cards are still their own.
SELECT a.id, a.person
FROM ledger_alias AS a
JOIN ledger_person AS p ON p.id = a.id
WHERE p.joined_to IS NULL AND a.person <> a.id AND p.erased_at IS NULL
ORDER BY a.id

-- name: note_settling
-- Write down what evidence persons were brought up to.
INSERT INTO ledger_settling (id, evidence, at)
SELECT 1, r.evidence, r.at
FROM ROWS(evidence text, at instant) AS r
WHERE true
ON CONFLICT (id) DO UPDATE SET evidence = excluded.evidence, at = excluded.at

-- name: ids_pointing_at
-- The ids that stand for these people.
SELECT a.id, a.person
FROM ROWS(person text) AS r
JOIN ledger_alias AS a ON a.person = r.person
ORDER BY a.id

-- name: touches_follow
-- Let the touches of these enrolments be of their person.
UPDATE ledger_touch AS t
SET person_id = r.person
FROM ROWS(enrolment bigint, person text) AS r
WHERE t.enrolment_id = r.enrolment

-- name: copy_consents
-- Let what one person stated be stated by another too.
INSERT INTO ledger_consent (person_id, channel, granted, at, source, wording)
SELECT r.other, c.channel, c.granted, c.at, c.source, c.wording
FROM ROWS(person text, other text) AS r
JOIN ledger_consent AS c ON c.person_id = r.person
WHERE NOT c.granted
ON CONFLICT DO NOTHING

-- name: copy_suppressions
-- Let what one person may not be sent not be sent to another either.
INSERT INTO ledger_suppression (channel, purpose, address_hash, person_id, reason, at)
SELECT s.channel, s.purpose, s.address_hash, r.other, s.reason, s.at
FROM ROWS(person text, other text) AS r
JOIN ledger_suppression AS s ON s.person_id = r.person
WHERE true
ON CONFLICT DO NOTHING

-- name: copy_exclusions
-- Let an exclusion of one person hold for another too.
INSERT INTO ledger_exclusion (person_id, kind, at, until)
SELECT r.other, x.kind, x.at, x.until
FROM ROWS(person text, other text) AS r
JOIN ledger_exclusion AS x ON x.person_id = r.person
WHERE true
ON CONFLICT DO NOTHING

-- name: copy_wishes
-- Let what one person asked for be asked for by another too.
INSERT INTO ledger_preference (person_id, snoozed_until, muted_topics, at_most_every_seconds)
SELECT r.other, w.snoozed_until, w.muted_topics, w.at_most_every_seconds
FROM ROWS(person text, other text) AS r
JOIN ledger_preference AS w ON w.person_id = r.person
WHERE true
ON CONFLICT (person_id) DO UPDATE SET
    snoozed_until = excluded.snoozed_until, muted_topics = excluded.muted_topics,
    at_most_every_seconds = excluded.at_most_every_seconds

-- name: rename_signals
-- Let these signals go by other keys.
UPDATE ledger_signal AS g
SET key = r.key
FROM ROWS(number bigint, key text) AS r
WHERE g.id = r.number

-- name: forget_evidence
-- Forget by which address or number somebody erased was found to be one person.
UPDATE ledger_join SET evidence = ''
WHERE gone = %s OR kept = %s
