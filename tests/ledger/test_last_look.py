"""What changed since a message was decided stops it at the last look, whatever it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time

import pytest

from rekindle.gate import (
    EVERYTHING,
    Budget,
    Calendar,
    Cap,
    GlobalHoldout,
    QuietHours,
    Worth,
)
from rekindle.ledger import models
from rekindle.ledger.offers.models import GivenOffer
from rekindle.vocabulary import Channel, Reason
from tests.ledger.queueing import COST, DAY, HOUR, STALE_AFTER, START, TERMS, TEXT
from tests.runtime.test_dispatching import Desk

CONDITION = "tier = 'lapsed'"
WITH_CONDITION = TEXT.replace(
    "template: check-in}}", f'template: check-in}}}}\n    when: "{CONDITION}"', 1
)
CHOICE = frozenset(
    {
        Reason.OFFER_WAIT,
        Reason.NO_OFFER,
        Reason.OFFER_MARGIN,
        Reason.NO_CODE,
        Reason.OFFER_SPENT,
    }
)
"""Why no offer is chosen; one that was chosen holds its code and its budget from then on."""

GATE = [one for one in list(Reason)[: list(Reason).index(Reason.HELD_OUT)] if one not in CHOICE]
"""The reasons of the gate but the last: nobody in the holdout has a message."""

Change = Callable[[Desk], object]


def people(desk: Desk, **values: object) -> None:
    models.Person.objects.using(desk.queue.alias).filter(pk="ann").update(**values)


def wrote_before(desk: Desk) -> None:
    desk.queue.message(
        "ann", "other", state="accepted", accepted_at=START - HOUR, not_before=START - HOUR
    )


def wishes_less(desk: Desk) -> None:
    wrote_before(desk)
    desk.queue.add(models.Preference, person_id="ann", at_most_every_seconds=86_400)


def set_rules(**rules: object) -> Change:
    return lambda desk: setattr(desk, "rules", replace(desk.rules, **rules))  # type: ignore[arg-type]


def capped(desk: Desk) -> None:
    wrote_before(desk)
    set_rules(caps=(Cap(Channel("email"), 1, DAY),))(desk)


def is_worth_little(desk: Desk) -> None:
    desk.matched["true"] = {"ann"}
    set_rules(worth=(Worth("true", COST - 1),))(desk)


def is_worth_nothing(desk: Desk) -> None:
    desk.matched["lifetime_value < 0"] = {"ann"}
    set_rules(excluded_when="lifetime_value < 0")(desk)


def rests(desk: Desk) -> None:
    """Let Ann have begun to pay for something since the message was decided."""
    desk.matched["subscription_state in ('subscribed', 'paused')"] = {"ann"}
    set_rules(spares_customers=True)(desk)


def no_budget(desk: Desk) -> None:
    desk.terms = replace(TERMS, budgets=(Budget(None, None, 0),))


def is_withheld(desk: Desk) -> None:
    """Let Ann turn out to be somebody who was drawn into the holdout of all journeys."""
    desk.terms = replace(TERMS, budgets=(), holdout=GlobalHoldout(0.1, "shop/*"))
    drawn = {"person_id": "ann", "journey": EVERYTHING, "arm": "holdout"}
    desk.queue.add(models.Assignment, **drawn, assigned_at=START, version=1)


def gives(desk: Desk, touch: int, ends_at: datetime) -> None:
    """Let an offer go with a message to Ann, until then."""
    desk.queue.add(
        GivenOffer,
        touch=touch,
        person_id="ann",
        journey="lapsed",
        rotation=0,
        offer="ten",
        kind="amount_off",
        text="10 off",
        at=START - DAY,
        ends_on=ends_at.date(),
        ends_at=ends_at,
        cost_micros=COST,
        most_micros=COST,
        expected_micros=COST,
        state="open",
    )


def has_another(desk: Desk) -> None:
    gives(desk, models.Touch.objects.using(desk.queue.alias).get().pk, START + 7 * DAY)
    left = {"state": "accepted", "accepted_at": START - HOUR, "not_before": START - HOUR}
    gives(desk, desk.queue.message("ann", "other", **left), START + DAY)


CHANGES: dict[Reason, Change] = {
    Reason.EXIT_REACHED: lambda desk: models.Enrolment.objects.using(desk.queue.alias).update(
        ended_at=START, ended_reason="order"
    ),
    Reason.ERASED: lambda desk: people(desk, erased_at=START),
    Reason.SUPPRESSED: lambda desk: desk.queue.add(
        models.Suppression, person_id="ann", channel="email", reason="opt_out", at=START
    ),
    Reason.NO_PERMISSION: lambda desk: desk.queue.add(
        models.Consent, person_id="ann", channel="email", granted=False, at=START, source="test"
    ),
    Reason.STALE: lambda desk: desk.clock.move(STALE_AFTER),
    Reason.CONDITION_NOT_MET: lambda desk: desk.matched.update({CONDITION: set()}),
    Reason.SNOOZED: lambda desk: desk.queue.add(
        models.Preference, person_id="ann", snoozed_until=START + DAY
    ),
    Reason.PREFERENCE: wishes_less,
    Reason.EXCLUDED: is_worth_nothing,
    Reason.STILL_SUBSCRIBED: rests,
    Reason.UNREACHABLE: lambda desk: people(desk, address=None),
    Reason.BLACKOUT: set_rules(calendar=Calendar(((date(2026, 3, 1), date(2026, 3, 9)),))),
    Reason.QUIET_HOURS: set_rules(quiet_hours=QuietHours(time(8), time(12))),
    Reason.CAP: capped,
    Reason.OFFER_OVER: lambda desk: gives(
        desk, models.Touch.objects.using(desk.queue.alias).get().pk, START + HOUR
    ),
    Reason.OFFER_OPEN: has_another,
    Reason.BUDGET: no_budget,
    Reason.NOT_WORTH_IT: is_worth_little,
    Reason.GLOBAL_HOLDOUT: is_withheld,
}


@pytest.fixture
def desk(alias: str) -> Desk:
    """Return a dispatcher whose journey asks for a condition that Ann and Bob meet."""
    desk = Desk(alias, text=WITH_CONDITION)
    desk.matched[CONDITION] = {"ann", "bob"}
    return desk


def test_every_reason_of_the_gate_is_asked_at_the_last_look(desk: Desk) -> None:
    assert [*CHANGES] == GATE


def test_nothing_changed_and_the_message_leaves(desk: Desk) -> None:
    desk.queue.message("ann")
    assert desk.pass_later(HOUR).accepted == 1


@pytest.mark.parametrize("reason", GATE)
def test_what_changed_while_a_message_waited_stops_it(desk: Desk, reason: Reason) -> None:
    number = desk.queue.message("ann")
    CHANGES[reason](desk)
    assert desk.pass_later(HOUR).accepted == 0
    assert [one.reason for one in desk.answers(number)] == [reason.value]


def test_what_somebody_did_meanwhile_counts_in_a_condition(desk: Desk) -> None:
    desk.text = TEXT.replace(
        "template: check-in}}", "template: check-in}}\n    when: not did('parcel_lost')", 1
    )
    desk.queue.text = desk.text
    stopped, left = desk.queue.message("ann"), desk.queue.message("bob")
    desk.matched["true"] = {"ann", "bob"}
    desk.queue.add(
        models.Signal,
        person_id="ann",
        kind="event",
        name="parcel_lost",
        at=START + HOUR / 2,
        key="1",
        recorded_at=START + HOUR / 2,
    )
    desk.pass_later(HOUR)
    assert desk.queue.fate(stopped) == ("cancelled", "condition_not_met")
    assert desk.queue.fate(left) == ("accepted", None)


# Money


@pytest.fixture
def till(desk: Desk) -> Desk:
    """Return a desk with four messages that were paid from one budget of five."""
    desk.terms = TERMS
    month = {"budgets": "|*/*|", "budget_month": "2026-03"}
    for name in ("ann", "bob", "cleo", "dan"):
        desk.queue.message(name, **month)
    desk.matched[CONDITION] = {"ann", "bob", "cleo", "dan"}
    desk.queue.add(models.Budget, name="*/*", month="2026-03", reserved_micros=4 * COST)
    return desk


def reserved(desk: Desk, name: str = "*/*", month: str = "2026-03") -> int:
    rows = models.Budget.objects.using(desk.queue.alias).filter(name=name, month=month)
    return sum(row.reserved_micros for row in rows)


def test_budget_as_it_was_pays_for_everything_it_was_asked_for(till: Desk) -> None:
    assert till.dispatch().accepted == 4
    assert reserved(till) == 4 * COST


def test_budget_that_was_cut_pays_for_those_who_waited_longest(till: Desk) -> None:
    till.terms = replace(TERMS, budgets=(Budget(None, None, 2 * COST),))
    assert till.dispatch().outcomes == {"accepted": 2, "held": 2}
    assert till.outlet.taken == ["ann", "bob"]
    assert reserved(till) == 2 * COST


def test_what_waits_for_next_months_money_is_paid_from_it(till: Desk) -> None:
    till.clock.set(START.replace(day=31))
    models.Touch.objects.using(till.queue.alias).update(expires_at=START.replace(month=4))
    till.terms = replace(TERMS, budgets=(Budget(None, None, 3 * COST),))
    assert till.dispatch().accepted == 3
    assert till.pass_later(DAY).accepted == 1
    assert (reserved(till), reserved(till, month="2026-04")) == (3 * COST, COST)


def test_budget_made_meanwhile_binds_what_waits(till: Desk) -> None:
    both = (*TERMS.budgets, Budget("lapsed", None, COST))
    till.terms = replace(TERMS, budgets=both)
    assert till.dispatch().outcomes == {"accepted": 1, "held": 3}
    assert reserved(till, "lapsed/*") == COST
    assert reserved(till) == COST
