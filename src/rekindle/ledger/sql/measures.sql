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
