"""Which subscribers a journey leaves alone, by the words of its own audience."""

from __future__ import annotations

import pytest

from rekindle.gate import HouseRules
from rekindle.journeys import find_customers, parse_journey
from rekindle.vocabulary import Reason
from tests.journeys.test_engine import START, World, told

RESTS = "subscription_state = 'paused'"
JOURNEY = """\
journey: back
enter: {{audience: "{}"}}
goal: {{on: order, within: 30 days}}
steps:
  - send: {{channel: email, template: hello}}
"""
RUNS = "subscription_state in ('subscribed', 'paused')"


@pytest.mark.parametrize(
    ("audience", "spared"),
    [
        ("tier = 'lapsed'", RUNS),
        ("tier in ('lapsed', 'dormant') and orders_count >= 2", RUNS),
        ("tier in ('lapsed', 'prospect')", RESTS),
        ("tier = 'lapsed' and coalesce(subscription_state, '') <> 'gone'", RESTS),
        ("tier = 'lapsed' and (subscription_state = 'subscribed' or mrr is null)", RESTS),
        ("country = 'GB'", RESTS),
        ("silence_days >= 3", RESTS),
        ("months_since_churn between 1 and 11", RESTS),
        ("subscription_state = 'subscribed' and paid_months > 6", RESTS),
        ("silence_days >= 120", RUNS),
        ("tier = 'active' and value_band = 'high'", None),
        ("tier <> 'gone' and orders_count >= 2", None),
        ("orders_count >= 5", RESTS),
        ("subscription_state = 'gone'", RUNS),
        ("subscription_state = 'gone' or tier = 'lapsed'", RESTS),
        ("subscription_state = 'gone' and times_churned < 3 -- who left", RUNS),
        ("subscription_state = 'paused' and resumes_on > current_date", None),
        ("subscription_state in ('subscribed', 'paused')", None),
    ],
)
def test_a_journey_spares_those_whom_nobody_has_to_win_back(
    audience: str, spared: str | None
) -> None:
    marketing = parse_journey(JOURNEY.format(audience))
    assert find_customers(marketing) == spared
    owed = parse_journey("purpose: transactional\n" + JOURNEY.format(audience))
    assert find_customers(owed) is None


def test_a_journey_that_an_event_begins_is_for_who_is_here() -> None:
    text = JOURNEY.replace("audience: ", "on: points_expired, audience: ")
    assert find_customers(parse_journey(text.format("orders_count >= 5"))) is None
    assert find_customers(parse_journey(text.format("tier = 'dormant'"))) == RUNS


def test_who_rests_is_left_out_and_the_others_are_written_to() -> None:
    world = World("alice", "bob", rules=HouseRules(spares_customers=True))
    world.audience.matches = {"alice"}
    world.start(audience="tier = 'lapsed'")
    world.engine.tick(START)
    assert told(world)[0][1] is Reason.STILL_SUBSCRIBED
    assert told(world, "bob")[0][1] is None
