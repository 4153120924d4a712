-- What offers ask of the ledger, in the language of ledger.sql.

-- name: open_stock
-- Begin the stock of these offers.
INSERT INTO ledger_offer_stock (offer, reserved_micros)
SELECT r.offer, 0
FROM ROWS(offer text) AS r
WHERE true
ON CONFLICT DO NOTHING

-- name: hold_stock
-- What the budgets of these offers have set aside; held until the commit, in one order.
SELECT s.offer, s.reserved_micros
FROM ledger_offer_stock AS s
WHERE s.offer IN (SELECT r.offer FROM ROWS(offer text) AS r)
ORDER BY s.offer
-- postgresql: FOR NO KEY UPDATE

-- name: book_stock
-- Add to what the budgets of these offers have set aside.
UPDATE ledger_offer_stock AS s
SET reserved_micros = s.reserved_micros + r.micros
FROM ROWS(offer text, micros bigint) AS r
WHERE s.offer = r.offer

-- name: count_free_codes
-- How many codes of an offer nobody holds, counted no further than is needed.
SELECT count(*)
FROM (SELECT 1 FROM ledger_offer_code WHERE offer = %s AND made_for = %s AND touch IS NULL LIMIT %s) AS f

-- name: free_codes
-- Codes of an offer that nobody holds, in the order they were loaded. One that somebody is
-- giving or taking back at this instant is theirs.
SELECT c.id, c.code
FROM ledger_offer_code AS c
WHERE c.offer = %s AND c.made_for = %s AND c.touch IS NULL
ORDER BY c.id
LIMIT %s
-- postgresql: FOR UPDATE SKIP LOCKED

-- name: take_codes
-- Let these codes be of these touches.
UPDATE ledger_offer_code AS c
SET touch = r.touch
FROM ROWS(code bigint, touch bigint) AS r
WHERE c.id = r.code AND c.touch IS NULL

-- name: return_codes
-- Let the codes of these touches be free again; one that its shop ends is nobody's any more.
UPDATE ledger_offer_code AS c
SET touch = CASE WHEN c.standing IN ('', 'made') THEN NULL ELSE -c.id END
FROM ROWS(touch bigint) AS r
WHERE c.touch = r.touch

-- name: touches_at
-- The numbers of the touches of these steps.
SELECT r.place, t.id
FROM ROWS(place int, enrolment bigint, step text) AS r
JOIN ledger_touch AS t ON t.enrolment_id = r.enrolment AND t.step = r.step

-- name: give_offers
-- Write down what is given with these touches.
INSERT INTO ledger_given_offer (touch, person_id, journey, rotation, offer, kind, ladder, rung,
    text, tied_to, code, at, ends_on, ends_at, cost_micros, most_micros, expected_micros,
    minimum_micros, state, options, propensity)
SELECT r.touch, r.person, r.journey, r.rotation, r.offer, r.kind, r.ladder, r.rung,
    r.text, r.tied_to, r.code, r.at, r.ends_on, r.ends_at, r.cost, r.most, r.expected,
    r.minimum, r.state, r.options, r.propensity
FROM ROWS(touch bigint, person text, journey text, rotation int, offer text, kind text,
          ladder text, rung int, text text, tied_to text, code text, at instant, ends_on date,
          ends_at instant, cost bigint, most bigint, expected bigint, minimum bigint,
          state text, options text, propensity float8) AS r
WHERE true

-- name: past_offers_of
-- What these people were given and not deprived of, that was open after an instant, and
-- whether its message still waits. What may have left is theirs, also if it was cancelled.
SELECT g.person_id, g.touch, g.offer, g.journey, g.rotation, g.state, INSTANT(g.at),
       INSTANT(g.ends_at), g.cost_micros, INSTANT(g.redeemed_at),
       COALESCE(t.state, '') IN ('queued', 'leased')
FROM ROWS(person text) AS r
JOIN ledger_given_offer AS g ON g.person_id = r.person
LEFT JOIN ledger_touch AS t ON t.id = g.touch
WHERE g.ends_at > %s AND (g.state <> 'released' OR g.is_doubtful)
ORDER BY g.at, g.touch

-- name: offers_of_touches
-- What goes with these touches.
SELECT g.touch, g.offer, g.code, g.text, g.ends_on, INSTANT(g.ends_at), g.expected_micros
FROM ROWS(touch bigint) AS r
JOIN ledger_given_offer AS g ON g.touch = r.touch
WHERE g.state <> 'released'

-- name: load_codes
-- Add codes to a pool; one that is there already is left as it is.
INSERT INTO ledger_offer_code (offer, code, key, loaded_at)
SELECT r.offer, r.code, r.key, r.at
FROM ROWS(offer text, code text, key text, at instant) AS r
WHERE true
ON CONFLICT DO NOTHING

-- name: redeem_offers
-- Write down which orders redeemed what goes with these touches, or that none does.
UPDATE ledger_given_offer AS g
SET state = r.state, is_settled = r.is_settled, redeemed_at = r.redeemed_at, source = r.source,
    "order" = r.number, discount_micros = r.discount, is_by_other = r.is_by_other
FROM ROWS(touch bigint, state text, is_settled boolean, redeemed_at instant, source text,
          number text, discount bigint, is_by_other boolean) AS r
WHERE g.touch = r.touch
