"""What a world of six ways begins with: its journeys, its rules, and what each way can do.

What a way can do is what the real outlet says of itself, so that whoever changes that
changes these worlds too.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from rekindle.channels import find_outlet
from rekindle.gate import BookRules, HouseRules
from rekindle.journeys import Journey, parse_journey
from rekindle.messages import Capabilities
from rekindle.offers import Offers
from rekindle.vocabulary import Channel
from tests.simulation.drawing import HOUSE_OFFERS, OFFERS

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 6, 15, 9, tzinfo=UTC)

OUTLETS = {
    "email": "email_smtp",
    "sms": "sms_twilio",
    "push": "push_fcm",
    "audience": "audience_meta",
    "letter": "letter_lob",
    "task": "task_queue",
}
WAYS = tuple(map(Channel, OUTLETS))
CAN: dict[Channel, Capabilities] = {way: find_outlet(OUTLETS[way])[1].capabilities for way in WAYS}
ASKS = frozenset(way for way in WAYS if CAN[way].needs_consent)
"""The ways that nobody is written to by who did not say yes: nothing else is claimed here."""

FAILED, CLEARED, DROPPED = "payment_failed", "payment_cleared", "payment_dropped"
OWN_CODE, NO_CODE = "large", "small"

# Codes are what runs dry here, and no budget before them.
GIFTS = Offers(
    {name: one.model_copy(update={"budget": None}) for name, one in OFFERS.terms.items()},
    OFFERS.ladders,
)
RULES = HouseRules(
    zone=ZoneInfo("UTC"),
    offers=replace(HOUSE_OFFERS, offers=GIFTS),
)
TERMS = BookRules(
    longest_window=timedelta(0),
    channels=CAN,
    offers=GIFTS,
    offer_wait=HOUSE_OFFERS.wait,
)
# What the engine reserves for a touch; nothing is scarce here but offers and codes.
COST = dict.fromkeys(WAYS, 1000)


def draw_journeys(draw: Random) -> list[Journey]:
    """Return the journey through all six ways, one through some of them, and dunning."""
    some = draw.sample(WAYS, draw.randint(2, 4))
    return [
        _journey("chain", _steps(draw, WAYS), {"exit": ["order"]}),
        _journey("other", _steps(draw, some), {"exit": ["order"], "reenter": "after 10 days"}),
        _journey(
            "dunning",
            _steps(draw, [Channel("email"), Channel("sms"), Channel("email")], offers=False),
            {
                "purpose": "transactional",
                "enter": {"on": FAILED, "within": "3 days"},
                "reenter": "after 1 day",
                "goal": {"on": CLEARED, "within": "30 days"},
                "exit": [CLEARED, DROPPED],
                "holdout": "none",
            },
        ),
    ]


def _journey(name: str, steps: list[dict[str, Any]], own: dict[str, Any]) -> Journey:
    file: dict[str, Any] = {
        "journey": name,
        "enter": {"audience": "true"},
        "goal": {"on": "order", "within": "30 days"},
        "holdout": 0.2,
        "stale_after": "3 days",
        "steps": steps,
    }
    return parse_journey(json.dumps(file | own), any_channel=True)


def _steps(draw: Random, ways: Any, *, offers: bool = True) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number, way in enumerate(ways):
        if found:
            found.append({"id": f"w{number}", "wait": f"{draw.choice([1, 6, 24, 60])} hours"})
        send: dict[str, Any] = {"channel": way.value, "template": f"t{number}"}
        if way == "audience":
            send = {"channel": way.value, "destination": "crowd"}
        elif offers and way != "task" and draw.random() < 0.6:
            send["offer"] = draw.choice([OWN_CODE, NO_CODE])
            send |= draw.choice([{}, {"without_offer": "send"}])
        found.append({"id": f"s{number}", "send": send})
    return found
