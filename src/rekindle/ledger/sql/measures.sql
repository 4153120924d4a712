-- What became of messages, for the measures, in the language of ledger.sql.

-- name: fates_of
-- Every message of a journey that left, or may have, with the offer that went with it.
SELECT t.id, e.person_id, e.rotation, t.step, t.channel, t.variant, coalesce(g.offer, ''),
       INSTANT(coalesce(t.accepted_at, t.at)), t.cost_micros
FROM ledger_enrolment AS e
JOIN ledger_touch AS t ON t.enrolment_id = e.id
LEFT JOIN ledger_given_offer AS g ON g.touch = t.id
WHERE e.journey = %s AND t.state IN ('accepted', 'unknown')
ORDER BY t.id

-- name: heard_of
-- What people did with those messages, machines left out, and which never came.
SELECT d.touch, d.kind, INSTANT(d.at)
FROM ledger_enrolment AS e
JOIN ledger_touch AS t ON t.enrolment_id = e.id
JOIN ledger_delivery AS d ON d.touch = t.id
WHERE e.journey = %s AND t.state IN ('accepted', 'unknown')
  AND ((d.kind IN ('opened', 'clicked') AND NOT d.is_machine)
       OR (d.kind = 'bounced' AND d.is_permanent))
ORDER BY d.at, d.id

-- name: newest_statements
-- Who said yes, and not no since, to a channel.
SELECT c.person_id
FROM ledger_consent AS c
WHERE c.channel = %s AND c.granted AND NOT EXISTS (
  SELECT 1 FROM ledger_consent AS n
  WHERE n.person_id = c.person_id AND n.channel = c.channel
    AND (n.at > c.at OR (n.at = c.at AND n.id > c.id)))

-- name: watched_hours
-- How many messages left, what came of them and who entered, by the hour (UTC).
SELECT x.what, x.name, x.hour, COUNT(*)
FROM (
  SELECT 'sends' AS what, '' AS name, substr(INSTANT(t.accepted_at), 1, 13) AS hour
  FROM ledger_touch AS t
  WHERE t.accepted_at >= %s AND t.accepted_at < %s
  UNION ALL
  SELECT g.kind, '', substr(INSTANT(g.at), 1, 13)
  FROM ledger_signal AS g
  WHERE g.kind IN ('bounce', 'complaint', 'opt_out') AND NOT g.is_void
    AND g.at >= %s AND g.at < %s
  UNION ALL
  SELECT 'conversions', '', substr(INSTANT(e.ended_at), 1, 13)
  FROM ledger_enrolment AS e
  WHERE e.ended_reason = 'order' AND e.arm = 'treatment'
    AND e.ended_at >= %s AND e.ended_at < %s
  UNION ALL
  SELECT 'entries', e.journey, substr(INSTANT(e.entered_at), 1, 13)
  FROM ledger_enrolment AS e
  JOIN ledger_journey AS j ON j.name = e.journey AND j.state = 'running'
  WHERE e.entered_at >= %s AND e.entered_at < %s
) AS x
GROUP BY x.what, x.name, x.hour

-- name: weighed_decisions
-- Whom messages were stopped at by a rule, and who got them in spite of it: how the gate's
-- detail of the one and of the other begins is given.
SELECT e.person_id, d.step, INSTANT(d.at), CASE WHEN d.reason IS NULL THEN 1 ELSE 0 END
FROM ledger_enrolment AS e
JOIN ledger_decision AS d ON d.enrolment_id = e.id
WHERE e.journey = %s AND e.arm = 'treatment'
  AND ((d.reason = 'not_worth_it' AND d.detail LIKE %s)
       OR (d.answer = 'send' AND d.detail LIKE %s))
ORDER BY d.at, d.id

-- name: first_stopped
-- When messages of a version were first stopped at by a rule, by person.
SELECT e.person_id, INSTANT(min(d.at))
FROM ledger_enrolment AS e
JOIN ledger_decision AS d ON d.enrolment_id = e.id
WHERE e.journey = %s AND e.version = %s AND d.reason = 'not_worth_it' AND d.detail LIKE %s
GROUP BY e.person_id

-- name: overruled_messages
-- How many messages left in spite of a stop, because somebody said so, and what they cost.
SELECT count(*), coalesce(sum(t.cost_micros), 0)
FROM ledger_enrolment AS e
JOIN ledger_decision AS d ON d.enrolment_id = e.id
JOIN ledger_touch AS t ON t.enrolment_id = e.id AND t.step = d.step
WHERE e.journey = %s AND d.answer = 'send' AND d.detail LIKE %s
  AND t.state IN ('accepted', 'unknown')
