"""What a message is expected to earn, by all that is known: of the journey, and of the person.

What was measured of the journey, or the person's subgroup, counts before what somebody wrote
into the settings. A person's own figure may hold a message back that pays on the whole, and
never lets one leave that does not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from rekindle.experiments import draw
from rekindle.gate import (
    HELD_BACK,
    KEPT_ON,
    SENT_TO_LEARN,
    SPARED,
    HouseRules,
    Overrule,
    PersonUplift,
    find_overrule,
)
from rekindle.journeys.interfaces import Audience, UpliftAudience
from rekindle.journeys.model import JourneyVersion
from rekindle.vocabulary import Reason, value_by_the_million

Uplifts = Mapping[tuple[str, str], PersonUplift]
"""What is kept of people, by person and journey."""


@value_by_the_million(frozen=True, slots=True)
class Weighed:
    """What a message is expected to earn, in micros; None where that is not to be asked.

    ``told`` is what is written down with it: why it is left out, or leaves all the same where
    it ``is_sent_still``.
    """

    expected: int | None
    told: str = ""
    is_sent_still: bool = False

    @property
    def reason(self) -> Reason | None:
        """Return the reason of the decision that it is told with; None of one to send."""
        return None if self.is_sent_still else Reason.NOT_WORTH_IT


@value_by_the_million(frozen=True, slots=True)
class ToWeigh:
    """A message that somebody may get: whose, which of which version, when, at which cost.

    ``subgroup`` is the person's part of the journey's people, ``offer`` what an offer is
    expected to cost beside the message, ``by_settings`` what ``[[worth]]`` says, all in micros.
    """

    person: str
    version: JourneyVersion
    step: str
    at: datetime
    subgroup: str
    cost: int
    offer: int
    by_settings: int | None

    @property
    def journey(self) -> str:
        """Return the name of the journey."""
        return self.version.journey.name

    def is_drawn(self, what: str, share: float) -> bool:
        """Return whether the person is one of a share, drawn for ever for this."""
        return draw(self.person, salt=f"{self.version.salt}/{what}") < share


def weigh(asked: ToWeigh, rules: HouseRules, uplifts: Uplifts) -> Weighed:
    """Return what a message is expected to earn, and what it rests on.

    What somebody overruled leaves to everybody: nobody is drawn to be compared with others.
    """
    found = _weigh_all(asked, rules)
    if found.told:
        return found
    rule, known = rules.uplifts.get(asked.journey), uplifts.get((asked.person, asked.journey))
    if rule is None or known is None:
        return found
    expected, cost = rule.expect(known, asked.offer), asked.cost + asked.offer
    if expected < cost:
        told = rule.tell(known, asked.offer, cost)
        if overrule := _find_overrule(asked, rules):
            return Weighed(found.expected, f"{overrule.told}; {told}", is_sent_still=True)
        if asked.is_drawn(SENT_TO_LEARN, SPARED):
            told = f"{SENT_TO_LEARN} whether holding back is right; {told}"
            return Weighed(found.expected, told, is_sent_still=True)
        return Weighed(expected, f"{HELD_BACK}: {told}")
    return found


def _weigh_all(asked: ToWeigh, rules: HouseRules) -> Weighed:
    """Return what is expected of everybody in a subgroup, but for some who are kept on."""
    worth = rules.measured.get((asked.journey, asked.subgroup))
    if worth is None:
        return Weighed(asked.by_settings)
    expected = worth.expect(asked.offer)
    if expected >= asked.cost + asked.offer:
        return Weighed(expected)
    if overrule := _find_overrule(asked, rules):
        return Weighed(None, f"{overrule.told}; {worth.tell(asked.cost)}", is_sent_still=True)
    if asked.is_drawn(KEPT_ON, worth.kept_on):
        told = f"{KEPT_ON}, to measure what stopping gives up; {worth.tell(asked.cost)}"
        return Weighed(None, told, is_sent_still=True)
    return Weighed(expected, worth.tell(asked.cost))


def _find_overrule(asked: ToWeigh, rules: HouseRules) -> Overrule | None:
    return find_overrule(rules.overrules, asked.journey, asked.subgroup, asked.step, asked.at)


def find_uplifts(
    audience: Audience,
    rules: HouseRules,
    asked: Collection[tuple[str, JourneyVersion]],
    at: datetime,
) -> Uplifts:
    """Return what is kept of people in the version of a journey of which a model may exclude."""
    if not rules.uplifts or not isinstance(audience, UpliftAudience):
        return {}
    found: dict[tuple[str, str], PersonUplift] = {}
    for journey, rule in rules.uplifts.items():
        people = {
            person
            for person, version in asked
            if (version.journey.name, version.version) == (journey, rule.version)
        }
        if people:
            kept = audience.uplifts(journey, rule.scored_at, at, people)
            found.update({(person, journey): known for person, known in kept.items()})
    return found
