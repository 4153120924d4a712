from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from rekindle.experiments import Lift
from rekindle.insights import (
    JourneyRecord,
    JourneyReport,
    Membership,
    SentMessage,
    build_report,
)
from rekindle.insights.lifting.reaching import GoalReached
from rekindle.insights.tables import arm_table, lift_table
from rekindle.journeys import Goal, Journey
from rekindle.vocabulary import Answer, Arm, Reason, SignalKind, Unknown

START = datetime(2024, 3, 1, tzinfo=UTC)
KNOWN = datetime(2023, 12, 1, tzinfo=UTC)
JOURNEY = Journey(
    name="lapsed-buyers",
    audience="tier = 'lapsed'",
    goal=Goal(SignalKind.ORDER, timedelta(days=30)),
    steps=(),
)


def member(person: str, arm: Arm = Arm.TREATMENT, **changes: Any) -> Membership:
    usual = Membership(
        person,
        arm,
        rotation=0,
        entered_at=START,
        last_order_at=KNOWN,
        first_touch_at=START + timedelta(hours=1),
        ended=Reason.FINISHED,
    )
    return replace(usual, **changes)


def record(members: Sequence[Membership], **changes: Any) -> JourneyRecord:
    usual = JourneyRecord(
        JOURNEY,
        started_at=START,
        until=START + timedelta(days=60),
        holdout_share=0.5,
        members=members,
        touches={Answer.SEND: 3},
        reasons={Reason.CAP: 1, Reason.HELD_OUT: 2},
        sends=(),
        is_replay=False,
    )
    return replace(usual, **changes)


@pytest.fixture
def report_on(open_shop: Any, order_rows: Any) -> Any:
    def build(orders: list[Any], record: JourneyRecord) -> JourneyReport:
        engine = open_shop(orders=order_rows(orders))
        return build_report(record, engine.facts(), engine)

    return build


def crowd(prefix: str, arm: Arm, count: int) -> list[Membership]:
    return [member(f"{prefix}{n}", arm) for n in range(count)]


def purchases(prefix: str, count: int, amount: float) -> list[tuple[str, str, float]]:
    return [(f"{prefix}{n}", "2024-03-10", amount + n) for n in range(count)]


def test_revenue_is_net_and_counted_inside_the_goal_window_only(report_on: Any) -> None:
    orders = [
        ("a", "2024-03-01", 1.0),  # at the instant of entry
        ("a", "2024-03-02", 50.0),
        ("a", "2024-03-31", 30.0),  # the window's last instant
        ("a", "2024-03-20", -20.0),
        ("a", "2024-03-31T00:01", 7.0),
        (None, "2024-03-05", 99.0),
    ]
    report = report_on(orders, record([member("a"), member("b")]))
    assert report.arms[Arm.TREATMENT].revenue == 60
    assert report.arms[Arm.TREATMENT].revenue_per_assigned == 30


def test_an_order_after_the_end_of_the_report_does_not_count(report_on: Any) -> None:
    until = datetime(2024, 3, 10, tzinfo=UTC)
    orders = [("a", "2024-03-10", 5.0), ("a", "2024-03-11", 9.0)]
    report = report_on(orders, record([member("a")], until=until))
    assert report.arms[Arm.TREATMENT].revenue == 5
    assert report.still_open_windows == 1


def test_an_order_in_the_windows_of_two_entries_counts_once(report_on: Any) -> None:
    again = member("a", rotation=1, entered_at=START + timedelta(days=10))
    report = report_on([("a", "2024-03-15", 40.0)], record([member("a"), again]))
    arm = report.arms[Arm.TREATMENT]
    assert (arm.assigned, arm.returned, arm.revenue) == (1, 1, 40)


def test_entering_again_lengthens_no_window(report_on: Any) -> None:
    again = member("a", rotation=1, entered_at=START + timedelta(days=40))
    report = report_on([("a", "2024-04-15", 40.0)], record([again, member("a")]))
    arm = report.arms[Arm.TREATMENT]
    assert (arm.assigned, arm.returned, arm.revenue) == (1, 0, 0)
    assert report.still_open_windows == 0


@pytest.mark.long
@pytest.mark.parametrize(
    ("later", "returned", "revenue"),
    [
        ([], 1, 40),
        # All of it, within three days: it was undone, and nobody came back.
        ([("a", "2024-03-12", -40.0)], 0, 0),
        # All of it, later: they were back, and brought nothing.
        ([("a", "2024-03-25", -40.0)], 1, 0),
        ([("a", "2024-03-12", -10.0)], 1, 30),
        # Undone, and bought again: that is when they came back.
        ([("a", "2024-03-12", -40.0), ("a", "2024-03-20", 25.0)], 1, 25),
        # After their window, as what they buy then: in both arms alike.
        ([("a", "2024-04-05", -40.0)], 1, 40),
    ],
)
def test_a_return_that_is_given_back_is_one_and_brings_what_is_left(
    report_on: Any, later: list[Any], returned: int, revenue: int
) -> None:
    bought = [("a", "2024-03-10", 40.0), *later]
    arm = report_on(bought, record([member("a"), member("b")])).arms[Arm.TREATMENT]
    assert (arm.assigned, arm.returned, arm.revenue) == (2, returned, revenue)


@pytest.mark.long
@pytest.mark.parametrize(
    ("given_back_at", "returned"), [("2024-03-12", 0), ("2024-03-25", 1), ("2024-04-25", 1)]
)
def test_a_refund_in_the_row_of_its_order_takes_off_the_return_whenever_it_comes(
    open_shop: Any, order_rows: Any, given_back_at: str, returned: int
) -> None:
    (row,) = order_rows([("a", "2024-03-10", 40.0)])
    at = datetime.fromisoformat(given_back_at).replace(tzinfo=UTC)
    row |= {"refund": row["gross"], "refunded_at": at, "refund_known_at": at}
    engine = open_shop(orders=[row])
    found = build_report(record([member("a")]), engine.facts(), engine)
    arm = found.arms[Arm.TREATMENT]
    assert (arm.returned, arm.revenue) == (returned, 0)


@pytest.mark.long
def test_a_former_subscriber_who_is_refunded_brought_the_days_they_had(open_shop: Any) -> None:
    def stay(number: str, since: str, until: str) -> dict[str, Any]:
        days = [datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (since, until)]
        of = {"source": "billing", "subscription_id": number, "customer_id": "a"}
        return {**of, "started_at": days[0], "ended_at": days[1], "mrr": Decimal("30.4375")}

    before = stay("old", "2023-01-01", "2023-12-01")
    for until, returned, revenue in (("2024-03-10", 0, 0), ("2024-03-13", 1, 3)):
        # Its provider ends it as the money goes back: at once, or three days later.
        engine = open_shop(subscriptions=[before, stay("new", "2024-03-10", until)])
        found = build_report(record([member("a")]), engine.facts(), engine)
        arm = found.arms[Arm.TREATMENT]
        assert (arm.returned, round(arm.revenue, 6)) == (returned, revenue)


def test_a_report_with_a_return_does_not_say_that_nobody_bought(report_on: Any) -> None:
    members = [member("a"), member("b", Arm.HOLDOUT)]
    given_back = [("a", "2024-03-10", 4.0), ("a", "2024-03-20", -4.0)]
    report = report_on(given_back, record(members))
    assert (report.arms[Arm.TREATMENT].returned, report.arms[Arm.TREATMENT].revenue) == (1, 0)
    assert isinstance(report.lift, Unknown)
    assert "nobody bought" not in report.lift.reason


def test_people_are_counted_in_the_arm_they_were_drawn_into(report_on: Any) -> None:
    members = [
        member("a"),
        member("b", first_touch_at=None),
        member("c", Arm.HOLDOUT),
        member("d", Arm.HOLDOUT, first_touch_at=None),
    ]
    told = report_on([("c", "2024-03-15", 4.0)], record(members)).to_json()
    assert told["assigned"] == {"treatment": 2, "holdout": 2}
    assert told["exposed"] == {"treatment": 1, "holdout": 1}
    assert told["returned"] == {"treatment": 0, "holdout": 1}
    assert told["net_revenue_per_assigned"] == {"treatment": 0.0, "holdout": 2.0}


def test_the_window_of_two_ids_that_became_one_begins_with_the_first_entry(
    report_on: Any,
) -> None:
    """What came to the kept id is counted on from its own entries, whenever that was."""
    kept = member("a", entered_at=START + timedelta(days=40))
    told = report_on(
        [("a", "2024-03-10", 20.0), ("a", "2024-04-12", 9.0)],
        record([kept, member("a", rotation=1)], until=START + timedelta(days=90)),
    )
    assert told.arms[Arm.TREATMENT].returned == 1
    assert told.arms[Arm.TREATMENT].revenue == 20


def test_a_purchase_known_at_entry_is_no_return(report_on: Any) -> None:
    report = report_on([("a", "2023-12-01", 4.0)], record([member("a")]))
    assert report.arms[Arm.TREATMENT].returned == 0


@pytest.mark.long
def test_a_purchase_before_the_entry_that_nobody_knew_is_no_return_of_its_window(
    report_on: Any,
) -> None:
    late = ("a", "2024-02-01", 4.0)
    arm = report_on([late], record([member("a")])).arms[Arm.TREATMENT]
    assert (arm.returned, arm.revenue) == (0, 0)
    # Returns and revenue have one window: what was bought in it is a return all the same.
    arm = report_on([late, ("a", "2024-03-10", 5.0)], record([member("a")])).arms[Arm.TREATMENT]
    assert (arm.returned, arm.revenue) == (1, 5)


def test_a_return_after_the_window_is_none(report_on: Any) -> None:
    report = report_on([("a", "2024-04-15", 4.0)], record([member("a")]))
    assert report.arms[Arm.TREATMENT].returned == 0


@pytest.mark.parametrize(("day", "count"), [("2024-03-01T00:59", 1), ("2024-03-01T01:01", 0)])
def test_returns_before_the_first_touch_are_counted_in_both_arms(
    report_on: Any, day: str, count: int
) -> None:
    members = [member("a"), member("b", Arm.HOLDOUT)]
    report = report_on([("a", day, 4.0), ("b", day, 4.0)], record(members))
    assert report.returned_before_first_touch == 2 * count


def test_a_message_after_a_recorded_purchase_is_a_broken_promise(report_on: Any) -> None:
    bought, sent = datetime(2024, 3, 5, tzinfo=UTC), datetime(2024, 3, 6, tzinfo=UTC)
    sends = [SentMessage("a", 0, sent), SentMessage("a", 0, bought - timedelta(hours=1))]
    members = [member("a", ended=Reason.ORDER, ended_at=bought)]
    report = report_on([("a", "2024-03-05", 4.0)], record(members, sends=sends))
    assert (report.sent_after_return, report.sent_before_known) == (1, 0)


@pytest.mark.long
def test_a_message_before_the_purchase_was_imported_is_told_apart(report_on: Any) -> None:
    imported, sent = datetime(2024, 3, 9, tzinfo=UTC), datetime(2024, 3, 6, tzinfo=UTC)
    members = [member("a", ended=Reason.ORDER, ended_at=imported)]
    live = record(members, sends=[SentMessage("a", 0, sent)])
    report = report_on([("a", "2024-03-05", 4.0)], live)
    assert (report.sent_after_return, report.sent_before_known) == (0, 1)
    assert any("had not been imported yet" in note for note in report.notes)


def test_a_replay_knows_every_purchase_as_it_happens(report_on: Any) -> None:
    sends = [SentMessage("a", 0, datetime(2024, 3, 6, tzinfo=UTC))]
    replayed = record([member("a")], sends=sends, is_replay=True)
    assert report_on([("a", "2024-03-05", 4.0)], replayed).sent_after_return == 1


def test_without_a_purchase_as_exit_writing_on_is_no_breach(report_on: Any) -> None:
    sends = [SentMessage("a", 0, datetime(2024, 3, 6, tzinfo=UTC))]
    journey = replace(JOURNEY, exits=frozenset())
    live = record([member("a")], sends=sends, is_replay=True, journey=journey)
    assert report_on([("a", "2024-03-05", 4.0)], live).sent_after_return == 0


@pytest.mark.long
def test_an_interval_around_zero_is_said_to_show_nothing(report_on: Any) -> None:
    members = crowd("t", Arm.TREATMENT, 60) + crowd("h", Arm.HOLDOUT, 60)
    orders = purchases("t", 12, 10) + purchases("h", 12, 10)
    report = report_on(orders, record(members))
    assert isinstance(report.lift, Lift)
    assert report.finding == "No lift is shown: the interval includes 0."


def test_a_replay_says_that_its_lift_is_noise(report_on: Any) -> None:
    members = crowd("t", Arm.TREATMENT, 60) + crowd("h", Arm.HOLDOUT, 60)
    orders = purchases("t", 12, 10) + purchases("h", 12, 10)
    finding = report_on(orders, record(members, is_replay=True)).finding
    assert "nobody was contacted, so the true lift is 0 and this is the noise" in finding


def test_a_replay_that_shows_a_lift_calls_it_a_false_alarm(report_on: Any) -> None:
    members = crowd("t", Arm.TREATMENT, 60) + crowd("h", Arm.HOLDOUT, 60)
    replayed = record(members, is_replay=True)
    finding = report_on(purchases("t", 40, 10) + purchases("h", 4, 10), replayed).finding
    assert finding.startswith("The treatment arm brought")
    assert "this is a false alarm" in finding


def test_a_shown_lift_is_told_in_money_with_its_interval(report_on: Any) -> None:
    members = crowd("t", Arm.TREATMENT, 60) + crowd("h", Arm.HOLDOUT, 60)
    report = report_on(purchases("t", 40, 10) + purchases("h", 4, 10), record(members))
    lift = report.lift
    assert report.finding == (
        f"The journey earned £{lift.difference:.2f} more per assigned customer than the "
        f"holdout, and between £{lift.low:.2f} and £{lift.high:.2f} with 95 % confidence."
    )


@pytest.mark.long
def test_a_loss_is_told_as_a_loss(report_on: Any) -> None:
    members = crowd("t", Arm.TREATMENT, 60) + crowd("h", Arm.HOLDOUT, 60)
    report = report_on(purchases("t", 4, 10) + purchases("h", 40, 10), record(members))
    assert "less per assigned customer than the holdout" in report.finding


def test_what_cannot_be_estimated_says_why(report_on: Any) -> None:
    told = report_on([], record([member("a")])).to_json()
    reason = "nobody was assigned to the holdout"
    assert told["lift"] == {"metric": "net revenue per assigned customer", "unknown": reason}
    assert told["net_revenue_per_assigned"]["holdout"] == {
        "unknown": "nobody was assigned to this arm"
    }
    assert told["notes"][0] == f"No lift can be stated: {reason}."


def test_a_journey_nobody_entered_has_a_report(report_on: Any) -> None:
    report = report_on([("a", "2024-03-05", 4.0)], record([]))
    assert report.arms[Arm.TREATMENT].assigned == 0
    assert isinstance(report.lift, Unknown)


def test_json_keeps_its_keys(report_on: Any) -> None:
    told = json.loads(json.dumps(report_on([], record([member("a")])).to_json(), allow_nan=False))
    assert list(told) == [
        *("version", "journey", "from", "to", "assigned", "exposed", "touches", "reasons"),
        *("returned", "returned_before_first_touch", "sent_after_return", "sent_before_known"),
        *("cost", "lift", "net_revenue_per_assigned", "return_rate_lift"),
        *("still_open_windows", "tests", "notes"),
        *("holdout_share", "reading", "coming_back", "earnings", "attribution", "stopping"),
        *("held_back", "overruling"),
        *("partings", "subgroups", "goal"),
    ]
    assert told["touches"] == {"send": 3, "hold": 0, "skip": 0}
    assert told["reasons"] == {"held_out": 2, "cap": 1}
    assert told["cost"] == 0.0
    assert (told["from"], told["to"]) == ("2024-03-01T00:00:00+00:00", "2024-04-30T00:00:00+00:00")


QUIZ = replace(JOURNEY, goal=Goal("quiz_done", timedelta(days=30)))


def event(number: int, person: str | None, name: str, at: datetime) -> dict[str, Any]:
    """Return the row of something that somebody did."""
    return {
        "source": "app",
        "event_id": str(number),
        "customer_id": person,
        "event": name,
        "occurred_at": at,
    }


def reached(report: JourneyReport) -> GoalReached:
    assert isinstance(report.goal, GoalReached)
    return report.goal


def quizzes(*done: tuple[str | None, timedelta]) -> list[dict[str, Any]]:
    return [event(n, who, "Quiz Done", START + after) for n, (who, after) in enumerate(done)]


def test_a_goal_that_is_no_purchase_is_counted_by_itself(open_shop: Any, order_rows: Any) -> None:
    day = timedelta(days=1)
    events = quizzes(
        *(("a", 0 * day), ("a", 30 * day), ("a", 31 * day)),  # only the window's last instant
        *(("b", 31 * day), ("c", -day), (None, day), ("stranger", day)),
        *(("h0", day), ("h0", 2 * day)),  # once
        ("late", 2 * day),
    )
    engine = open_shop(orders=order_rows([("b", "2024-03-05", 9.0)]), events=events)
    members = [member(person) for person in "abc"] + crowd("h", Arm.HOLDOUT, 2)
    members.append(member("late", entered_at=START + 3 * day))
    report = build_report(record(members, journey=QUIZ), engine.facts(), engine)
    assert report.goal == GoalReached(
        event="quiz_done",
        assigned={Arm.TREATMENT: 4, Arm.HOLDOUT: 2},
        reached={Arm.TREATMENT: 1, Arm.HOLDOUT: 1},
        lift=reached(report).lift,
    )
    assert report.arms[Arm.TREATMENT].returned == 1  # b bought, and did no quiz
    table = {row[0]: row[1:] for row in arm_table(report).rows}
    assert table["goal: quiz_done"] == ("1", "1")
    assert table["goal rate"] == ("25.0 %", "50.0 %")
    told = json.loads(json.dumps(report.to_json()))
    assert told["goal"]["reached"] == {"treatment": 1, "holdout": 1}


def test_the_difference_in_who_reached_the_goal_has_its_interval(open_shop: Any) -> None:
    day = timedelta(days=1)
    soon = ((f"t{n}", day / 2) for n in range(20))
    later = ((f"t{n}", 2 * day) for n in range(20, 80))
    done = quizzes(*soon, *later, *((f"h{n}", 2 * day) for n in range(40)))
    engine = open_shop(orders=[], events=done)
    members = crowd("t", Arm.TREATMENT, 100) + crowd("h", Arm.HOLDOUT, 100)
    report = build_report(record(members, journey=QUIZ), engine.facts(), engine)
    lift = reached(report).lift
    assert isinstance(lift, Lift)
    assert lift.difference == pytest.approx(0.4)
    assert 0.2 < lift.low < 0.4 < lift.high < 0.6
    rows = {row[0]: row[1] for row in lift_table(report).rows}
    assert rows["goal rate"] == "40.0 points"
    # As of the reading date, as the other differences: what came later moves it no more.
    early = record(members, journey=QUIZ, reads_on=START.date())
    at_reading = build_report(early, engine.facts(), engine)
    assert reached(at_reading).reached[Arm.TREATMENT] == 80
    lift = reached(at_reading).lift
    assert isinstance(lift, Lift)
    assert lift.difference == pytest.approx(0.2)


def test_a_payment_that_cleared_is_a_goal_that_was_reached(open_shop: Any) -> None:
    def attempt(number: int, who: str, days: float, outcome: str) -> dict[str, Any]:
        return {
            "source": "biller",
            "payment_id": str(number),
            "invoice_id": f"of {who}",
            "customer_id": who,
            "attempted_at": START + timedelta(days=days),
            "amount": Decimal(20),
            "outcome": outcome,
            "currency": "GBP",
        }

    failed = [attempt(number, who, 0, "failed") for number, who in enumerate("abc")]
    later = [attempt(7, "a", 5, "paid"), attempt(8, "b", 40, "paid"), attempt(9, "c", 9, "failed")]
    engine = open_shop(orders=[], payments=[*failed, *later])
    journey = replace(JOURNEY, goal=Goal("payment_cleared", timedelta(days=30)))
    report = build_report(
        record([member(who) for who in "abc"], journey=journey), engine.facts(), engine
    )
    assert reached(report).reached == {Arm.TREATMENT: 1, Arm.HOLDOUT: 0}
    assert reached(report).share(Arm.TREATMENT) == pytest.approx(1 / 3)
    assert isinstance(reached(report).lift, Unknown)  # nobody was held out


@pytest.mark.parametrize(
    ("goal", "reason"),
    [
        ("quiz_done", "no quiz_done is in the facts"),
        (SignalKind.CLICK, "only who has a message can do it"),
        (SignalKind.OFFER_USED, "only who has a message can do it"),
    ],
)
def test_a_goal_that_cannot_be_counted_says_why(open_shop: Any, goal: str, reason: str) -> None:
    engine = open_shop(orders=[], events=[event(1, "a", "Click", START + timedelta(days=1))])
    journey = replace(JOURNEY, goal=Goal(goal, timedelta(days=30)))
    report = build_report(record([member("a")], journey=journey), engine.facts(), engine)
    assert isinstance(report.goal, Unknown)
    assert reason in report.goal.reason
    assert any(reason in note for note in arm_table(report).notes)
    assert list(json.loads(json.dumps(report.to_json()))["goal"]) == ["unknown"]


def test_a_journey_for_purchases_has_no_goal_beside_returns(report_on: Any) -> None:
    report = report_on([], record([member("a")]))
    assert report.goal is None
    assert report.to_json()["goal"] is None
    assert "goal rate" not in {row[0] for row in arm_table(report).rows}


def test_open_windows_are_said_to_move_the_figures(report_on: Any) -> None:
    early = record([member("a"), member("b")], until=START + timedelta(days=3))
    report = report_on([], early)
    assert report.still_open_windows == 2
    assert any("still open" in note for note in report.notes)
