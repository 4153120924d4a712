-- What a journey's messages met with, in the language of ledger.sql.

-- name: messages_taken
-- How many messages providers took of each running journey: since the middle, and in all.
SELECT e.journey, sum(CASE WHEN t.accepted_at > %s THEN 1 ELSE 0 END), count(*)
FROM ledger_touch AS t
JOIN ledger_enrolment AS e ON e.id = t.enrolment_id
JOIN ledger_journey AS j ON j.name = e.journey AND j.state = 'running'
WHERE t.accepted_at > %s AND t.accepted_at <= %s AND t.accepted_at > j.changed_at
GROUP BY e.journey

-- name: addresses_refused
-- How many messages of each running journey were refused for their address.
SELECT e.journey, sum(CASE WHEN t.not_before > %s THEN 1 ELSE 0 END), count(*)
FROM ledger_touch AS t
JOIN ledger_enrolment AS e ON e.id = t.enrolment_id
JOIN ledger_journey AS j ON j.name = e.journey AND j.state = 'running'
WHERE t.state = 'failed' AND t.reason = 'bounce'
  AND t.not_before > %s AND t.not_before <= %s AND t.not_before > j.changed_at
GROUP BY e.journey

-- name: what_messages_met_with
-- Complaints, bounces and opt-outs with the newest message the person had by then.
SELECT x.kind, INSTANT(x.at), e.journey, INSTANT(t.accepted_at)
FROM (
    SELECT g.kind, g.at, (
        SELECT t.id FROM ledger_touch AS t
        WHERE t.person_id = g.person_id AND t.accepted_at <= g.at
        ORDER BY t.accepted_at DESC, t.id DESC
        LIMIT 1) AS touch
    FROM ledger_signal AS g
    WHERE g.kind IN ('complaint', 'bounce', 'opt_out') AND g.key NOT LIKE 'bounce:%%'
      AND g.at > %s AND g.at <= %s
) AS x
JOIN ledger_touch AS t ON t.id = x.touch
JOIN ledger_enrolment AS e ON e.id = t.enrolment_id
JOIN ledger_journey AS j ON j.name = e.journey AND j.state = 'running'
WHERE t.accepted_at > j.changed_at
