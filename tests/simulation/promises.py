"""The promises, asked of each message in the moment it is handed over.

Every rule is written here a second time and as simply as can be: wall clocks are read
off zones, windows are counted over what was handed over. Nothing is asked of the gate.
"""

from __future__ import annotations

import calendar as months
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from rekindle.experiments import draw
from rekindle.gate import SPARED, HouseRules
from rekindle.vocabulary import Arm
from tests.simulation.drawing import BAD_ENDING, COST, FLAGS, House, basket_of, side_of, uplift_of
from tests.simulation.journal import ANYTHING, HandOver, Journal, Standing, Trail, broken

QUARTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Case:
    """One message, who it is for, and where the rules are kept."""

    message: HandOver
    person: Standing
    journal: Journal
    house: House
    is_ghost: bool = False

    @property
    def at(self) -> datetime:
        """Return when it was handed over."""
        return self.message.at

    @property
    def others(self) -> list[datetime]:
        """Return when the person was written to before, ghosts among it for a ghost."""
        person = self.person
        return person.marketing_at + person.ghosts_at if self.is_ghost else person.marketing_at


Promise = Callable[[Case], bool]


def is_new(case: Case) -> bool:
    """Never twice: the same step in the same rotation."""
    return case.message.step not in case.message.trail.handed


def is_before_every_exit(case: Case) -> bool:
    """Never after an exit that was on record."""
    trail = case.message.trail
    return not trail.doomed and not trail.ended - {"finished"} and not _has_left(case)


def _has_left(case: Case) -> bool:
    """Return whether something newer than the journey is an exit of it."""
    trail = case.message.trail
    if any(trail.is_ended_by("order", at) for at in case.person.orders):
        return True
    return any(trail.is_ended_by(event, at) for event, at in case.person.deeds)


def is_not_suppressed(case: Case) -> bool:
    """Never to someone who objected or was erased, nor to an address of such a person."""
    person = case.person
    address = person.card.address
    if person.is_erased or not address:
        return False
    refused = person.suppressed | case.journal.suppressed.get(address.lower(), set())
    if case.message.trail.sheet.is_marketing:
        return not refused
    return ANYTHING not in refused


def is_permitted(case: Case) -> bool:
    """Never without permission: the newest word counts, else what a purchase allows."""
    said = [(at, not granted) for at, granted in case.person.consents if at <= case.at]
    if said:
        return not max(said)[1]
    bought_at = case.message.trail.last_order_at
    if bought_at is None or not case.house.terms.soft_opt_in:
        return False
    if (case.person.card.country or "").startswith("US"):
        return False  # texts need consent there, whatever was bought
    return case.person.card.country != "CA" or case.at <= _two_years_after(bought_at)


def _two_years_after(at: datetime) -> datetime:
    last_day = months.monthrange(at.year + 2, at.month)[1]
    return at.replace(year=at.year + 2, day=min(at.day, last_day))


def is_wished(case: Case) -> bool:
    """Never against what a person asked for beside permission."""
    wish, topic = case.person.preferences, case.message.trail.sheet.journey.topic
    if wish.snoozed_until is not None and case.at < wish.snoozed_until:
        return False
    if topic and topic in wish.muted_topics:
        return False
    times = case.others
    every = wish.at_most_every
    return every is None or all(abs(case.at - other) >= every for other in times)


def is_not_snoozed(case: Case) -> bool:
    """Never to someone who wants to be left alone now, nor about what they do not care for."""
    wish, topic = case.person.preferences, case.message.trail.sheet.journey.topic
    if wish.snoozed_until is not None and case.at < wish.snoozed_until:
        return False
    return not topic or topic not in wish.muted_topics


def is_not_excluded(case: Case) -> bool:
    """Never to someone the business does not write to."""
    if any(until is None or case.at < until for until in case.person.exclusions.values()):
        return False
    since = case.at - case.house.terms.cooling_off
    return not any(event == BAD_ENDING and at > since for event, at in case.person.deeds)


def is_below_the_caps(case: Case) -> bool:
    """Never above a cap, in any window that holds this message."""
    times = sorted([*case.others, case.at])
    for cap in case.house.rules.caps:
        if cap.per is None:
            zone = case.person.zones[0]
            today = case.at.astimezone(zone).date()
            if sum(other.astimezone(zone).date() == today for other in times) > cap.max:
                return False
            continue
        for end in (time for time in times if case.at <= time < case.at + cap.per):
            if sum(end - cap.per < other <= end for other in times) > cap.max:
                return False
    return True


def is_awake(case: Case) -> bool:
    """Never in the night of any place where the person may be."""
    hours, zones = case.house.rules.quiet_hours, case.person.zones
    if hours is None:
        return True
    nights = [_is_night(case.at, zone, case.house) for zone in zones]
    if any(nights) and not nights[0]:
        return not _has_common_day(case.at, zones, case.house)
    return not nights[0]


def is_within_the_law(case: Case) -> bool:
    """Never in the hours in which the law of a state lets nobody send texts."""
    opens = {"US-TX": (9, 12, 21), "US-FL": (8, 8, 20), "US": (9, 12, 20)}
    hours = opens.get(case.person.card.country or "")
    if hours is None:
        return True
    first, on_sundays, last = hours
    for zone in case.person.zones:
        local = case.at.astimezone(zone)
        begin = on_sundays if local.weekday() == 6 else first
        if not begin <= local.hour < last:
            return False
    return True


def _is_night(at: datetime, zone: ZoneInfo, house: House) -> bool:
    hours = house.rules.quiet_hours
    assert hours is not None
    local = at.astimezone(zone).time()
    if hours.start < hours.end:
        return hours.start <= local < hours.end
    return local >= hours.start or local < hours.end


def _has_common_day(at: datetime, zones: tuple[ZoneInfo, ...], house: House) -> bool:
    """Return whether within two days there is a moment at which nobody sleeps."""
    moment = at.replace(minute=0, second=0, microsecond=0)
    return any(
        not any(_is_night(moment + quarter * QUARTER, zone, house) for zone in zones)
        for quarter in range(1, 2 * 96)
    )


def is_an_open_day(case: Case) -> bool:
    """Never on a closed day of any place where the person may be."""
    rule = case.house.rules.calendar
    if rule is None:
        return True
    for zone in case.person.zones:
        day = case.at.astimezone(zone).date()
        if rule.weekdays and day.weekday() not in rule.weekdays:
            return False
        if any(first <= day <= last for first, last in rule.blackouts):
            return False
        # The only yearly window drawn here is Christmas, over the new year.
        if rule.yearly and ((day.month, day.day) >= (12, 24) or (day.month, day.day) <= (1, 2)):
            return False
    return True


def is_fresh(case: Case) -> bool:
    """Never stale."""
    late = case.at - case.message.ready_at
    return late <= case.message.trail.stale_after(case.message.step)


def is_paid_for(case: Case) -> bool:
    """Never above a budget, in the month of the business in which it was decided."""
    month = _month(case.message.decided_at, case.house)
    for budget in case.house.rules.budgets:
        if not _binds(budget.journey, case.message):
            continue
        same = sum(
            _binds(budget.journey, other) and _month(other.decided_at, case.house) == month
            for other in case.journal.hand_overs
        )
        if (same + 1) * COST > budget.limit_micros:
            return False
    return True


def _binds(journey: str | None, message: HandOver) -> bool:
    return journey in (None, message.trail.journey)


def _month(at: datetime, house: House) -> tuple[int, int]:
    return _local_month(at, house.rules.zone)


@lru_cache(maxsize=4096)
def _local_month(at: datetime, zone: ZoneInfo) -> tuple[int, int]:
    local = at.astimezone(zone)
    return local.year, local.month


def is_worth_it(case: Case) -> bool:
    """Never at a loss, nor to someone who costs more than they bring."""
    flags, rules = case.person.flags, case.house.rules
    if rules.excluded_when is not None and FLAGS[rules.excluded_when] in flags:
        return False
    trail = case.message.trail
    if is_overruled(trail, rules, case.message.decided_at):
        return True
    side = rules.measured and case.house.terms.subgroups.find({"side": side_of(trail.person)})
    if (trail.journey, side or "") in rules.measured:
        salt = f"{trail.sheet.version.salt}/kept on"
        return draw(trail.person, salt=salt) < rules.measured[trail.journey, side or ""].kept_on
    if is_unmoved(trail, rules):
        return draw(trail.person, salt=f"{trail.sheet.version.salt}/sent to learn") < SPARED
    expected = (one.margin_micros for one in rules.worth if FLAGS[one.predicate] in flags)
    return next(expected, COST) >= COST


def is_overruled(trail: Trail, rules: HouseRules, at: datetime) -> bool:
    """Return whether somebody said that nothing measured keeps messages of a journey back then."""
    return any(one.journey == trail.journey and one.at <= at < one.until for one in rules.overrules)


def is_unmoved(trail: Trail, rules: HouseRules) -> bool:
    """Return whether somebody was learned not to be moved by the version they are in."""
    learned, known = rules.uplifts.get(trail.journey), uplift_of(trail.person)
    if learned is None or learned.version != trail.sheet.version.version or known is None:
        return False
    return known.high < 0


def is_rightly_left_out(trail: Trail, person: Standing, house: House, at: datetime) -> bool:
    """Nobody is left out of whom nothing says so, or in spite of somebody's word."""
    rules = house.rules
    is_claimed = any(FLAGS[one.predicate] in person.flags for one in rules.worth)
    if is_overruled(trail, rules, at):
        return is_claimed
    side = house.terms.subgroups.find({"side": side_of(trail.person)})
    if (trail.journey, side or "") in rules.measured or is_unmoved(trail, rules):
        return True
    return is_claimed


def is_to_be_won_back(case: Case) -> bool:
    """Never to somebody whose subscription rests, but by a journey that their own event began."""
    journey = case.message.trail.sheet.version.journey
    is_for_who_is_here = journey.trigger is not None and journey.audience == "true"
    return is_for_who_is_here or "rests" not in case.person.flags


def is_the_only_offer(case: Case) -> bool:
    """Never two offers that are open at once."""
    mine = case.message.offer
    if mine is None:
        return True
    others = case.person.offers + (case.person.ghost_offers if case.is_ghost else [])
    return not any(
        one.offer is not None
        and (one.trail, one.step) != (case.message.trail, case.message.step)
        and one.decided_at < mine.ends_at
        and case.message.decided_at < one.offer.ends_at
        for one in others
    )


def has_its_own_code(case: Case) -> bool:
    """Never a code twice, and never two for one message."""
    mine = case.message
    if mine.offer is not None and mine.offer.takes_code and not mine.code:
        return False
    return not any(
        (one.code == mine.code) is not ((one.trail, one.step) == (mine.trail, mine.step))
        for one in case.journal.hand_overs
        if one.code
        and mine.code
        and (one.code == mine.code or (one.trail, one.step) == (mine.trail, mine.step))
    )


def is_affordable(case: Case) -> bool:
    """Never below the floor, above an offer's budget, or after its end."""
    mine = case.message.offer
    if mine is None:
        return True
    basket = basket_of(case.message.trail.person)
    cost = {"small": 4, "large": 12}[mine.offer]
    if basket is None or cost > basket * 0.3 or case.at >= mine.ends_at:
        return False
    budget = case.house.terms.offers.terms[mine.offer].budget
    same = sum(
        one.offer is not None and one.offer.offer == mine.offer for one in case.journal.hand_overs
    )
    return case.is_ghost or budget is None or (same + 1) * cost <= budget


def is_in_the_treatment(case: Case) -> bool:
    """Holdouts never receive anything."""
    return case.message.trail.arm is Arm.TREATMENT


def is_in_a_running_journey(case: Case) -> bool:
    """Paused and stopped journeys are silent."""
    return case.journal.states[case.message.trail.journey] == "running"


def is_decided(case: Case) -> bool:
    """Nothing leaves that was not decided and written down."""
    return case.message.step in case.message.trail.sent


OF_MESSAGES_ALONE = {
    "never above a budget",
    "the held out receive nothing",
    "every decision is recorded",
    "never a code twice",
}
ALWAYS: dict[str, Promise] = {
    "never twice": is_new,
    "never after an exit": is_before_every_exit,
    "never to the suppressed": is_not_suppressed,
    "never stale": is_fresh,
    "never above a budget": is_paid_for,
    "the held out receive nothing": is_in_the_treatment,
    "paused journeys are silent": is_in_a_running_journey,
    "every decision is recorded": is_decided,
}
IN_MARKETING: dict[str, Promise] = {
    "never without permission": is_permitted,
    "never against a wish": is_wished,
    "never to the excluded": is_not_excluded,
    "never above a cap": is_below_the_caps,
    "never in quiet hours": is_awake,
    "never in the closed hours of a state": is_within_the_law,
    "never on a closed day": is_an_open_day,
    "never at a loss": is_worth_it,
    "never while a subscription rests": is_to_be_won_back,
    "never two offers at once": is_the_only_offer,
    "never a code twice": has_its_own_code,
    "never an offer that costs too much": is_affordable,
}


SHOWN: dict[str, Promise] = {
    "never after an exit": is_before_every_exit,
    "never to the suppressed": is_not_suppressed,
    "never stale": is_fresh,
    "the held out receive nothing": is_in_the_treatment,
    "paused journeys are silent": is_in_a_running_journey,
}
SHOWN_IN_MARKETING: dict[str, Promise] = {
    "never without permission": is_permitted,
    "never against a wish": is_not_snoozed,
    "never to the excluded": is_not_excluded,
    "never in quiet hours": is_awake,
    "never in the closed hours of a state": is_within_the_law,
    "never on a closed day": is_an_open_day,
}


def check_shown(message: HandOver, journal: Journal, house: House) -> None:
    """Raise ``BrokenPromiseError`` if this message, kept since, should not be shown now."""
    case = Case(message, journal.people[message.trail.person], journal, house)
    promises = SHOWN | SHOWN_IN_MARKETING if message.trail.sheet.is_marketing else SHOWN
    for name, holds in promises.items():
        if not holds(case):
            what = f"{message.trail.key} step {message.step} is shown at {message.at}"
            raise broken(name, what)


def is_not_over(case: Case) -> bool:
    """Never once the journey ended with more than its last step, or something ends it since."""
    trail = case.message.trail
    return not trail.ended - {"finished"} and not (trail.ended and _has_left(case))


def is_not_refused(case: Case) -> bool:
    """Never once somebody objected or was erased."""
    person, sheet = case.person, case.message.trail.sheet
    refused = person.suppressed if sheet.is_marketing else person.suppressed & {ANYTHING}
    return not person.is_erased and not refused


LISTED: dict[str, Promise] = {
    "on no list after an exit": is_not_over,
    "on no list against a no": is_not_refused,
}
PUT_ON_A_LIST: dict[str, Promise] = {
    "never without permission": is_permitted,
    "never against a wish": is_not_snoozed,
    "never to the excluded": is_not_excluded,
}


def see_left_out(trail: Trail, journal: Journal, house: House, at: datetime) -> None:
    """Raise ``BrokenPromiseError`` if somebody was left out for nothing at an instant."""
    if not is_rightly_left_out(trail, journal.people[trail.person], house, at):
        raise broken("never left out without a cause", trail.key)


def check_listed(message: HandOver, journal: Journal, house: House, *, is_new: bool) -> None:
    """Raise ``BrokenPromiseError`` if nobody asked to take somebody off who may not be on a list.

    Whoever ``is_new`` on it was to be asked about once more.
    """
    case = Case(message, journal.people[message.trail.person], journal, house)
    promises = {**LISTED}
    if is_new:
        promises["paused journeys are silent"] = is_in_a_running_journey
        promises["the held out receive nothing"] = is_in_the_treatment
        promises |= PUT_ON_A_LIST if message.trail.sheet.is_marketing else {}
    for name, holds in promises.items():
        if not holds(case):
            raise broken(name, f"{message.trail.key} step {message.step} at {message.at}")


def check(message: HandOver, journal: Journal, house: House, *, is_ghost: bool = False) -> None:
    """Raise ``BrokenPromiseError`` if this message should not have been handed over.

    A ghost is held to what a message is held to, so that both arms can be compared.
    """
    case = Case(message, journal.people[message.trail.person], journal, house, is_ghost)
    promises = ALWAYS | IN_MARKETING if message.trail.sheet.is_marketing else ALWAYS
    for name, holds in promises.items():
        if is_ghost and name in OF_MESSAGES_ALONE:
            continue
        if not holds(case):
            trail = message.trail
            raise broken(name, f"{trail.key} step {message.step} at {message.at}")
