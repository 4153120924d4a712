"""The gate asks its rules in the documented order, and holds a capped touch exactly."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from rekindle.config import parse_config
from rekindle.consent import NO_PREFERENCES, Exclusion, Permission, Preferences, Rule, Week
from rekindle.gate import Decision, Dossier, Enrolment, Sent
from rekindle.gate.gate import SEND, GateContext, JourneyRules, decide, find_leave_by
from rekindle.gate.house import Cap, HouseRules, Worth, build_caps, build_rules, longest_window
from rekindle.gate.local_time import Calendar, QuietHours
from rekindle.gate.reasons import REASONS
from rekindle.journeys.model import Send
from rekindle.offers import Choice
from rekindle.vocabulary import Answer, Arm, Channel, Purpose, Reason

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)
DAILY = Cap(Channel("email"), 1, DAY)
WEEKLY = Cap(None, 3, 7 * DAY)


def context(
    *sent_ago: timedelta,
    caps: tuple[Cap, ...] = (),
    arm: Arm = Arm.TREATMENT,
    late: timedelta = timedelta(0),
    is_condition_met: bool = True,
    purpose: Purpose = Purpose.MARKETING,
) -> GateContext:
    ready = NOW - late
    enrolment = Enrolment("alice", "lapsed", 1, 0, arm, NOW - 9 * DAY, None, 0, ready, ready)
    sent = tuple(Sent(Channel("email"), NOW - ago) for ago in sent_ago)
    dossier = Dossier(enrolment, Permission(True, Rule.EXPRESS), True, False, None, sent)
    send = Send("0", Channel("email"), "check-in")
    return GateContext(
        dossier, send, JourneyRules(purpose, 3 * DAY, HouseRules(caps)), NOW, is_condition_met
    )


def test_touch_with_nothing_against_it_is_sent() -> None:
    assert decide(context()) == SEND


def _with_everything_against(dossier: Dossier) -> Dossier:
    return replace(
        dossier,
        exit=Reason.ORDER,
        is_erased=True,
        is_suppressed=True,
        permission=Permission(False, Rule.NO_RECORD),
        is_reachable=False,
        exclusion=Exclusion.BAD_ACTOR,
        is_withheld=True,
        preferences=Preferences(NOW + DAY, frozenset({"news"})),
    )


def test_first_reason_in_the_documented_order_is_given() -> None:
    """Everything stands against a touch; lifted one by one, the next reason shows."""
    bound = HouseRules(
        caps=(DAILY,),
        quiet_hours=QuietHours(time(8), time(10)),
        calendar=Calendar(((NOW.date(), NOW.date()),), (), frozenset(range(7))),
    )
    asked = context(HOUR, arm=Arm.HOLDOUT, late=4 * DAY, is_condition_met=False)
    asked = replace(
        asked,
        policy=replace(asked.policy, rules=bound, topic="news"),
        cost=2,
        budget_left=1,
        expected=1,
        offer=Choice(None, Reason.OFFER_OVER),
        is_customer=True,
    )
    dossier = _with_everything_against(asked.dossier)
    lifted: dict[Reason, dict[str, object]] = {
        Reason.EXIT_REACHED: {"exit": None},
        Reason.ERASED: {"is_erased": False},
        Reason.SUPPRESSED: {"is_suppressed": False},
        Reason.NO_PERMISSION: {"permission": Permission(True, Rule.EXPRESS)},
        Reason.STALE: {"enrolment": replace(dossier.enrolment, ready_at=NOW)},
        Reason.CONDITION_NOT_MET: {"is_condition_met": True},
        Reason.SNOOZED: {"preferences": Preferences(muted_topics=frozenset({"news"}))},
        Reason.PREFERENCE: {"preferences": NO_PREFERENCES},
        Reason.EXCLUDED: {"exclusion": None},
        Reason.STILL_SUBSCRIBED: {"is_customer": False},
        Reason.UNREACHABLE: {"is_reachable": True},
        Reason.BLACKOUT: {"calendar": None},
        Reason.QUIET_HOURS: {"quiet_hours": None},
        Reason.CAP: {"sent": ()},
        Reason.OFFER_OVER: {"offer": Choice(None, Reason.OFFER_OPEN, NOW + DAY)},
        Reason.OFFER_OPEN: {"offer": Choice(None, Reason.OFFER_WAIT, NOW + DAY)},
        Reason.OFFER_WAIT: {"offer": Choice(None, Reason.NO_OFFER)},
        Reason.NO_OFFER: {"offer": Choice(None, Reason.OFFER_MARGIN)},
        Reason.OFFER_MARGIN: {"offer": Choice(None, Reason.NO_CODE, NOW + DAY)},
        Reason.NO_CODE: {"offer": Choice(None, Reason.OFFER_SPENT, NOW + DAY)},
        Reason.OFFER_SPENT: {"offer": Choice()},
        Reason.BUDGET: {"budget_left": None},
        Reason.NOT_WORTH_IT: {"expected": None},
        Reason.GLOBAL_HOLDOUT: {"is_withheld": False},
        Reason.HELD_OUT: {},
    }
    given = []
    for change in lifted.values():
        given.append(decide(replace(asked, dossier=dossier)).reason)
        rules = {name: change[name] for name in change if hasattr(HouseRules(), name)}
        facts = {name: change[name] for name in change if hasattr(dossier, name)}
        own = change.keys() - rules.keys() - facts.keys()
        bound = replace(bound, **rules)  # type: ignore[arg-type]
        dossier = replace(dossier, **facts)  # type: ignore[arg-type]
        asked = replace(asked, **{name: change[name] for name in own})  # type: ignore[arg-type]
        asked = replace(asked, policy=replace(asked.policy, rules=bound))
    assert given == list(lifted) == list(Reason)[: len(lifted)]


def test_touch_is_worth_its_message_and_what_its_offer_is_expected_to_cost() -> None:
    asked = replace(ruled(HouseRules()), cost=10, expected=100)
    assert decide(replace(asked, offer=Choice(expected_micros=90))) == SEND
    too_dear = decide(replace(asked, offer=Choice(expected_micros=91)))
    assert too_dear.reason is Reason.NOT_WORTH_IT


def test_every_reason_is_explained_in_the_order_of_the_vocabulary() -> None:
    assert [note.reason for note in REASONS] == list(Reason)


@pytest.mark.parametrize(
    ("late", "answer"),
    [(3 * DAY, Answer.SEND), (3 * DAY + INSTANT, Answer.SKIP)],
)
def test_touch_is_stale_only_beyond_its_limit(late: timedelta, answer: Answer) -> None:
    assert decide(context(late=late)).answer is answer


@pytest.mark.parametrize(
    ("sent_ago", "caps", "frees_in"),
    [
        ((), (DAILY,), None),
        ((HOUR,), (DAILY,), 23 * HOUR),
        ((timedelta(0),), (DAILY,), DAY),
        ((DAY - INSTANT,), (DAILY,), INSTANT),
        ((DAY,), (DAILY,), None),
        # Four sends under a cap of three: the second oldest has to leave as well.
        ((5 * DAY, 4 * DAY, 3 * DAY, 2 * DAY), (Cap(None, 3, 6 * DAY),), 2 * DAY),
        ((5 * DAY, 4 * DAY, 6 * DAY), (WEEKLY,), DAY),
        ((4 * DAY, 6 * DAY), (WEEKLY,), None),
        # Two caps: the later release counts.
        ((6 * DAY, 5 * DAY, HOUR), (DAILY, WEEKLY), DAY),
        ((6 * DAY + 20 * HOUR, 5 * DAY, HOUR), (DAILY, WEEKLY), 23 * HOUR),
    ],
)
def test_capped_touch_waits_until_enough_sends_left_the_window(
    sent_ago: tuple[timedelta, ...], caps: tuple[Cap, ...], frees_in: timedelta | None
) -> None:
    decision = decide(context(*sent_ago, caps=caps))
    held = frees_in is not None and Decision(Answer.HOLD, Reason.CAP, NOW + frees_in)
    assert decision == (held or SEND)


def test_cap_does_not_hold_a_touch_beyond_its_staleness() -> None:
    capped = context(HOUR, caps=(WEEKLY, Cap(None, 1, 7 * DAY)), late=2 * DAY)
    decision = decide(capped)
    assert decision.until == NOW + DAY + INSTANT
    assert decide(replace(capped, at=decision.until)).reason is Reason.STALE


def test_transactional_touch_is_never_capped() -> None:
    assert decide(context(HOUR, caps=(DAILY,), purpose=Purpose.TRANSACTIONAL)) == SEND


def test_ghost_is_capped_like_a_send() -> None:
    ghost = context(HOUR, caps=(DAILY,), arm=Arm.HOLDOUT)
    assert decide(ghost).reason is Reason.CAP
    assert decide(replace(ghost, at=NOW + DAY)).reason is Reason.HELD_OUT


def test_caps_come_from_the_configuration() -> None:
    caps = build_caps(parse_config(""))
    spans = {
        "audience": 7 * DAY,
        "email": 16 * HOUR,
        "inapp": DAY,
        "letter": 30 * DAY,
        "push": 2 * DAY,
        "sms": 7 * DAY,
        "task": 30 * DAY,
        "webhook": DAY,
    }
    assert caps == (
        *(Cap(Channel(name), 1, span) for name, span in spans.items()),
        Cap(None, 4, 7 * DAY),
    )
    assert longest_window(caps) == 30 * DAY
    assert longest_window(()) == timedelta(0)


def ruled(rules: HouseRules, **facts: object) -> GateContext:
    """Return a touch under house rules, with changes to its dossier."""
    asked = context()
    dossier = replace(asked.dossier, **facts)  # type: ignore[arg-type]
    return replace(asked, dossier=dossier, policy=replace(asked.policy, rules=rules))


def test_night_holds_until_morning_and_releases_are_spread() -> None:
    rules = HouseRules(quiet_hours=QuietHours(time(21), time(8)), spread=30 * MINUTE)
    tokyo = (ZoneInfo("Asia/Tokyo"),)  # 09:00 UTC is 18:00 there
    evening = replace(ruled(rules, zones=tokyo), at=NOW + 4 * HOUR)
    held = decide(evening)
    morning = datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert held.reason is Reason.QUIET_HOURS
    assert held.until is not None
    assert morning <= held.until < morning + 30 * MINUTE
    assert decide(replace(evening, at=held.until)) == SEND
    others = {
        decide(replace(evening, dossier=named(evening.dossier, f"person-{n}"))).until
        for n in range(20)
    }
    assert len(others) > 10


def named(dossier: Dossier, person: str) -> Dossier:
    return replace(dossier, enrolment=replace(dossier.enrolment, person=person))


def test_hold_over_a_long_blackout_ends_in_staleness() -> None:
    christmas = (date(2026, 3, 1), date(2026, 3, 20))
    rules = HouseRules(calendar=Calendar((christmas,), (), frozenset(range(7))))
    held = decide(ruled(rules))
    assert held == Decision(Answer.HOLD, Reason.BLACKOUT, NOW + 3 * DAY + INSTANT)
    assert decide(replace(ruled(rules), at=held.until or NOW)).reason is Reason.STALE


def test_snooze_waits_and_a_muted_topic_is_left_out() -> None:
    snoozed = ruled(HouseRules(), preferences=Preferences(snoozed_until=NOW + DAY))
    assert decide(snoozed) == Decision(Answer.HOLD, Reason.SNOOZED, NOW + DAY)
    assert decide(replace(snoozed, at=NOW + DAY)) == SEND
    muted = ruled(HouseRules(), preferences=Preferences(muted_topics=frozenset({"news"})))
    assert decide(muted) == SEND
    news = replace(muted, policy=replace(muted.policy, topic="news"))
    assert decide(news) == Decision(Answer.SKIP, Reason.PREFERENCE)


def test_person_who_asked_for_less_is_held_to_it() -> None:
    sent = (Sent(Channel("email"), NOW - 29 * DAY),)
    asked = ruled(HouseRules(), sent=sent, preferences=Preferences(at_most_every=30 * DAY))
    assert decide(asked) == Decision(Answer.HOLD, Reason.PREFERENCE, NOW + DAY)
    assert decide(replace(asked, at=NOW + DAY)) == SEND


def test_message_on_its_way_keeps_the_next_one_back_and_is_looked_at_soon() -> None:
    sent = (Sent(Channel("email"), NOW, is_pending=True),)
    asked = ruled(HouseRules(caps=(DAILY,)), sent=sent)
    assert decide(asked) == Decision(Answer.HOLD, Reason.CAP, NOW + HOUR)


def test_cap_of_a_calendar_day_ends_at_midnight_where_the_person_is() -> None:
    kathmandu = (ZoneInfo("Asia/Kathmandu"),)  # 09:00 UTC is 14:45 there
    rules = HouseRules(caps=(Cap(None, 1, None),))
    midnight = datetime(2026, 3, 2, 18, 15, tzinfo=UTC)
    today = ruled(rules, sent=(Sent(Channel("email"), NOW - HOUR),), zones=kathmandu)
    assert decide(today) == Decision(Answer.HOLD, Reason.CAP, midnight)
    yesterday = ruled(rules, sent=(Sent(Channel("email"), NOW - 15 * HOUR),), zones=kathmandu)
    assert decide(yesterday) == SEND


def test_used_up_budget_waits_for_the_next_month_also_for_ghosts() -> None:
    asked = replace(ruled(HouseRules()), cost=100, budget_left=99)
    assert decide(asked).reason is Reason.BUDGET
    ghost = replace(asked, dossier=held_out(asked.dossier))
    assert decide(ghost).reason is Reason.BUDGET
    assert decide(replace(asked, budget_left=100)) == SEND
    end_of_month = replace(asked, at=datetime(2026, 3, 31, 23, tzinfo=UTC))
    ready = replace(asked.dossier.enrolment, ready_at=end_of_month.at)
    late = replace(end_of_month, dossier=replace(asked.dossier, enrolment=ready))
    assert decide(late).until == datetime(2026, 4, 1, tzinfo=UTC)


def held_out(dossier: Dossier) -> Dossier:
    return replace(dossier, enrolment=replace(dossier.enrolment, arm=Arm.HOLDOUT))


def test_touch_expected_to_earn_less_than_it_costs_is_left_out() -> None:
    asked = replace(ruled(HouseRules()), cost=100, expected=99)
    assert decide(asked) == Decision(Answer.SKIP, Reason.NOT_WORTH_IT)
    assert decide(replace(asked, expected=100)) == SEND
    assert decide(replace(asked, expected=None)) == SEND


def test_transactional_touch_asks_for_no_leave_of_house_or_preference() -> None:
    rules = HouseRules(
        caps=(DAILY,),
        quiet_hours=QuietHours(time(8), time(10)),
        calendar=Calendar(((NOW.date(), NOW.date()),), (), frozenset(range(7))),
    )
    asked = ruled(
        rules,
        sent=(Sent(Channel("email"), NOW - HOUR),),
        preferences=Preferences(NOW + DAY, frozenset(), 30 * DAY),
        exclusion=Exclusion.POOR_FIT,
    )
    asked = replace(asked, expected=0, cost=1)
    receipt = replace(asked, policy=replace(asked.policy, purpose=Purpose.TRANSACTIONAL))
    assert decide(receipt) == SEND
    assert decide(replace(receipt, budget_left=0)).reason is Reason.BUDGET


def test_house_rules_come_from_the_configuration() -> None:
    rules = build_rules(
        parse_config(
            """
            [quiet_hours]
            start = "20:00"
            [calendar]
            blackout = ["2026-12-25", "12-31..01-01"]
            weekdays = ["mon", "fri"]
            [[budgets]]
            channel = "email"
            per_month = 2.5
            [[budgets]]
            channel = "email"
            per_month = 1.5
            [[worth]]
            tier = "lapsed"
            value_band = "high"
            margin = 0.25
            """
        )
    )
    assert rules.quiet_hours == QuietHours(time(20), time(8))
    assert rules.calendar == Calendar(
        ((date(2026, 12, 25), date(2026, 12, 25)),), (((12, 31), (1, 1)),), frozenset({0, 4})
    )
    assert [(one.name, one.limit_micros) for one in rules.budgets] == [("*/email", 1_500_000)]
    assert rules.worth == (Worth("tier = 'lapsed' and value_band = 'high'", 250_000),)
    assert build_rules(parse_config('[quiet_hours]\nend = "21:00"')).quiet_hours is None


def test_what_wakes_nobody_leaves_at_night() -> None:
    rules = HouseRules(quiet_hours=QuietHours(time(8), time(10)))
    asked = context()
    held = decide(replace(asked, policy=replace(asked.policy, rules=rules)))
    assert held.reason is Reason.QUIET_HOURS
    silent = replace(rules, quiet=frozenset({Channel("email")}))
    assert decide(replace(asked, policy=replace(asked.policy, rules=silent))) == SEND


@pytest.mark.parametrize(
    ("purpose", "is_quiet_channel", "calendar", "leave_by"),
    [
        (Purpose.MARKETING, False, None, NOW.replace(hour=21)),
        (Purpose.MARKETING, True, None, NOW + 2 * DAY),  # nobody is woken: until it is stale
        (Purpose.TRANSACTIONAL, False, None, NOW + 2 * DAY),
        (
            Purpose.MARKETING,
            True,
            Calendar(((NOW.date() + DAY, NOW.date() + DAY),)),
            NOW.replace(hour=0) + DAY,
        ),
    ],
)
def test_a_message_may_be_under_way_until_the_night_or_until_it_is_stale(
    purpose: Purpose, is_quiet_channel: bool, calendar: Calendar | None, leave_by: datetime
) -> None:
    asked = context(late=DAY, purpose=purpose)
    rules = HouseRules(
        quiet_hours=QuietHours(time(21), time(8)),
        calendar=calendar,
        quiet=frozenset({Channel("email")}) if is_quiet_channel else frozenset(),
    )
    policy = replace(asked.policy, rules=rules)
    assert find_leave_by(asked.dossier, asked.send, policy, NOW) == leave_by


@pytest.mark.parametrize(
    ("hour", "house", "opens"),
    [
        (11, (21, 8), 12),  # the law alone is against it
        (11, None, 12),  # and is so where the house has no quiet hours
        (12, (21, 8), None),
        (12, (11, 14), 14),  # the house alone
        (7, (21, 8), 8),  # first the house, and the law when it is asked again
    ],
)
def test_hours_of_the_law_narrow_those_of_the_house(
    hour: int, house: tuple[int, int] | None, opens: int | None
) -> None:
    asked = context()
    week = Week(((12 * 3600, 20 * 3600),) * 7, ("made up",))
    at = NOW.replace(hour=hour, minute=0)
    quiet = None if house is None else QuietHours(time(house[0]), time(house[1]))
    asked = replace(
        asked,
        at=at,
        dossier=replace(
            asked.dossier,
            hours=week,
            enrolment=replace(asked.dossier.enrolment, ready_at=at),
        ),
        policy=replace(asked.policy, rules=HouseRules(quiet_hours=quiet)),
    )
    expected = (
        SEND if opens is None else Decision(Answer.HOLD, Reason.QUIET_HOURS, at.replace(hour=opens))
    )
    assert decide(asked) == expected
    transactional = replace(asked, policy=replace(asked.policy, purpose=Purpose.TRANSACTIONAL))
    assert decide(transactional) == SEND


def test_a_channel_that_wakes_nobody_keeps_the_hours_of_the_law() -> None:
    asked = context()
    week = Week(((12 * 3600, 20 * 3600),) * 7, ("made up",))
    rules = HouseRules(quiet_hours=QuietHours(time(21), time(8)), quiet=frozenset({"email"}))  # type: ignore[arg-type]
    at = NOW.replace(hour=21, minute=0)
    policy, dossier = replace(asked.policy, rules=rules), replace(asked.dossier, hours=week)
    enrolment = replace(dossier.enrolment, ready_at=at)
    asked = replace(asked, at=at, policy=policy, dossier=replace(dossier, enrolment=enrolment))
    assert decide(asked).reason is Reason.QUIET_HOURS


def test_what_a_provider_keeps_is_delivered_within_the_hours_of_the_law() -> None:
    asked = context()
    week = Week(((8 * 3600, 20 * 3600),) * 7, ("made up",))
    dossier = replace(asked.dossier, hours=week)
    at = NOW.replace(hour=19, minute=30)
    leave_by = find_leave_by(dossier, asked.send, asked.policy, at)
    assert leave_by == at.replace(hour=20, minute=0)
