-- name: silent_people
-- Who had at least so many marketing messages on a channel since they last did anything, the
-- first of them by an instant: how many, since when, and whether one was opened by no machine.
-- What waits to be asked for counts only where it was shown.
-- Looked up per message and not joined: an answer is one row of an index, and most have none.
SELECT t.person_id, t.channel, count(*), INSTANT(min(t.accepted_at)),
       max(CASE WHEN EXISTS (
           SELECT 1 FROM ledger_delivery AS d
           WHERE d.touch = t.id AND d.kind = 'opened' AND NOT d.is_machine)
         OR EXISTS (
           SELECT 1 FROM ledger_noticedopen AS o
           WHERE o.touch = t.id AND NOT o.is_machine) THEN 1 ELSE 0 END)
FROM ledger_touch AS t
WHERE t.accepted_at IS NOT NULL AND t.is_marketing AND t.state = 'accepted'
  AND NOT EXISTS (
      SELECT 1 FROM ledger_signal AS s
      WHERE s.person_id = t.person_id AND s.at >= t.accepted_at AND NOT s.is_void
        AND s.kind IN (SELECT r.kind FROM ROWS(kind text) AS r))
  AND NOT EXISTS (
      SELECT 1 FROM ledger_event AS e
      WHERE e.person = t.person_id AND e.at >= t.accepted_at AND e.deed IS NOT NULL
        AND e.deed <> 'open')
  AND (t.channel NOT IN (SELECT r.channel FROM ROWS(channel text) AS r)
       OR EXISTS (SELECT 1 FROM ledger_delivery AS d WHERE d.touch = t.id AND d.kind = 'shown'))
GROUP BY t.person_id, t.channel
HAVING count(*) >= %s AND min(t.accepted_at) <= %s
ORDER BY t.person_id, t.channel

-- name: note_open
-- Keep that a message was opened, the first time by a person and by a machine, for the query
-- above and nothing else.
INSERT INTO ledger_noticedopen (touch, is_machine, at)
SELECT r.touch, r.is_machine, r.at
FROM ROWS(touch bigint, is_machine boolean, at instant) AS r
WHERE true
ON CONFLICT DO NOTHING
RETURNING touch

-- name: leave_alone
-- Suppress people, and not whoever else has their address: it is they who do not answer.
INSERT INTO ledger_suppression (channel, purpose, address_hash, person_id, reason, at)
SELECT r.channel, 'marketing', '', r.person, r.reason, r.at
FROM ROWS(person text, channel text, reason text, at instant) AS r
WHERE true
ON CONFLICT DO NOTHING

-- name: answered
-- Take back what was suppressed for a silence that these people ended. The rows go: they hold
-- no word of anybody, the log has when and why, and the same silence may come again.
DELETE FROM ledger_suppression
WHERE reason IN (SELECT r.reason FROM ROWS(reason text) AS r)
  AND person_id IN (SELECT r.person FROM ROWS(person text) AS r)
