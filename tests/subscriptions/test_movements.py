"""MRR moves as the definitions say, and nothing else moves it."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import ibis
import pytest

from rekindle.config import LifecycleSettings
from rekindle.errors import UsageError
from rekindle.facts import Engine, open_warehouse
from rekindle.insights.subscribers import build_subscriptions
from rekindle.profiles import build_profiles
from rekindle.subscriptions import (
    DEFINITIONS,
    OURS,
    Definition,
    build_departures,
    build_failures,
    build_movements,
    find_definition,
)
from rekindle.subscriptions.standing import build_months, build_standing, build_unreadable
from rekindle.testing.small_shop import CURRENCY
from tests.subscriptions.businesses import (
    NOW,
    Business,
    at,
    cancellation,
    cents,
    change,
    counted,
    pause,
    payment,
    require_closing,
    subscription,
)

# By the month, with pauses that rest, and with trials and pauses that leave.
SOME = [DEFINITIONS[name] for name in ("recurly-mrr", "ours", "recurly-subscribers")]


@pytest.mark.long
def test_the_worked_example_of_chartmogul() -> None:
    # Source: help.chartmogul.com, "MRR movements": four seats of 500 a year, two of 30 a month.
    business = Business(
        [
            subscription("a", "c", "2024-01-10", "2025-01-10", amount=500, quantity=4,
                         interval="year"),
            subscription("b", "c", "2024-03-01", "2024-06-01", amount=30, quantity=2),
            subscription("d", "c", "2025-04-01", amount=50, quantity=3),
        ]
    )  # fmt: skip
    assert list(cents(business.moved(DEFINITIONS["chartmogul"]))) == [
        ("2024-01-10", "new", "166.67"),
        ("2024-03-01", "expansion", "60.00"),
        ("2024-06-01", "contraction", "-60.00"),
        ("2025-01-10", "churn", "-166.67"),
        ("2025-04-01", "reactivation", "150.00"),
    ]


@pytest.mark.long
def test_a_pause_is_what_the_definition_says() -> None:
    business = Business(
        [subscription("a", "c", "2024-01-10", mrr=20)],
        pauses=[pause("a", "2024-03-05", "2024-06-09")],
    )
    gone = [("churn", "-20.00"), ("reactivation", "20.00")]
    for definition, moved in {
        "ours": [("contraction", "-20.00"), ("expansion", "20.00")],
        "chartmogul": [],
        "upzelo": [],
        "purchasely": gone,
        "recurly-mrr": gone,
    }.items():
        found = list(cents(business.moved(DEFINITIONS[definition])))
        assert [(word, amount) for _, word, amount in found[1:]] == moved


@pytest.mark.long
def test_a_pause_of_before_it_began_is_one_of_its_beginning() -> None:
    business = Business(
        [subscription("a", "c", "2024-05-01", mrr=20)],
        pauses=[pause("a", "2024-03-05", "2024-04-09"), pause("a", "2024-04-20", "2024-05-09")],
    )
    leaves = business.moved(DEFINITIONS["purchasely"])
    assert leaves == [("2024-05-09", "new", Decimal(20))]


@pytest.mark.long
def test_a_price_that_changes_in_a_pause_holds_after_it() -> None:
    business = Business(
        [subscription("a", "c", "2024-01-10", mrr=20)],
        [change("a", "2024-04-01", mrr=35, plan="big")],
        [pause("a", "2024-03-05", "2024-06-09")],
    )
    assert list(cents(business.moved()))[1:] == [
        ("2024-03-05", "contraction", "-20.00"),
        ("2024-06-09", "expansion", "35.00"),
    ]


@pytest.mark.long
def test_a_trial_that_turns_into_paying_is_new_when_it_pays() -> None:
    business = Business(
        [
            subscription("a", "c", "2024-01-01", amount=10, is_trial=True),
            subscription("b", "d", "2024-01-01", "2024-01-15", amount=10, is_trial=True),
        ],
        [change("a", "2024-01-15", amount=10)],
    )
    assert business.moved() == [("2024-01-15", "new", Decimal(10))]
    trials = counted(business.moved(DEFINITIONS["recurly-subscribers"]))
    assert trials == {"new": 2, "expansion": 1, "churn": 1}


INTERVALS = [
    ("month", None, 1.0),
    (None, None, 1.0),
    ("Monthly", 1, 1.0),
    ("year", 1, 12.0),
    ("annual", None, 12.0),
    ("yearly", 2, 24.0),
    ("quarter", None, 3.0),
    ("3 months", None, 3.0),
    ("month", 3, 3.0),
    ("every 2 weeks", None, 24 / 52),
    ("week", None, 12 / 52),
    ("day", 7, 84 / 365),
    ("one-off", None, 0.0),
    ("One time", None, 0.0),
    ("fortnight", None, None),
    ("", None, None),
]


def test_intervals_are_read() -> None:
    texts, counts, months = zip(*INTERVALS, strict=True)
    rows = ibis.memtable(
        {"interval": texts, "times": counts},
        schema={"interval": "string", "times": "int64"},
    )
    found = ibis.duckdb.connect().to_pyarrow(build_months(rows["interval"], rows.times))
    assert found.to_pylist() == [None if one is None else pytest.approx(one) for one in months]


@pytest.mark.long
def test_what_was_not_paid_moves_nothing() -> None:
    business = Business(
        [
            subscription("a", "c", "2024-01-01"),
            subscription("b", "d", "2024-01-01", amount=0),
            subscription("e", "f", "2024-01-01", amount=-5),
            subscription("g", "h", "2024-01-01", amount=99, interval="one_off"),
            subscription("i", "j", "2024-01-01", amount=99, interval="now and then"),
            subscription("k", "l", "2024-02-01", "2024-02-01", mrr=4),
            subscription("m", "n", "2024-02-09", "2024-02-01", mrr=4),
        ]
    )
    assert [move for move in business.moved() if move[0] < "2024-02-01"] == []
    engine = business.shop().engine()
    notes = build_subscriptions(engine.facts(), engine.run, as_of=NOW).notes  # type: ignore[union-attr]
    engine.close()
    assert "1 subscription has neither an amount nor MRR and brings nothing" in notes[0]
    assert "like 'now and then', and brings nothing" in notes[1]


@pytest.mark.long
@pytest.mark.parametrize(
    ("until", "moved"),
    [
        # Refunded and ended on the day they came back: they are as gone as before.
        ("2024-05-01T18:00", []),
        ("2024-05-03", [("2024-05-01", "reactivation"), ("2024-05-03", "churn")]),
        # Refunded as a favour: what runs is paid for, and MRR knows of no refund.
        (None, [("2024-05-01", "reactivation")]),
    ],
)
def test_a_return_that_is_refunded_counts_as_long_as_it_ran(
    until: str | None, moved: list[tuple[str, str]]
) -> None:
    business = Business(
        [
            subscription("a", "c", "2024-01-01", "2024-03-01", mrr=5),
            subscription("b", "c", "2024-05-01T09:00", until, mrr=7),
        ],
        # What came and went back was paid: nobody is asked for it as if it had failed.
        payments=[payment("p", "c", "2024-05-01T09:00", "refunded", subscription_id="b")],
    )
    assert [move[:2] for move in business.moved()[2:]] == moved
    engine = business.shop().engine()
    failed = engine.run(build_failures(engine.facts(), NOW)).to_pylist()
    engine.close()
    assert failed == []


@pytest.mark.long
def test_days_are_those_of_the_business() -> None:
    late = subscription("a", "c", "2024-01-31T23:30:00", mrr=5)
    assert Business([late], zone="Asia/Tokyo").moved()[0][0] == "2024-02-01"
    assert Business([late], zone="America/Los_Angeles").moved()[0][0] == "2024-01-31"


@pytest.mark.long
def test_two_customers_of_two_sources_keep_their_subscriptions_apart() -> None:
    one = subscription("a", "c", "2024-01-01", "2024-03-01", mrr=5)
    two = {**subscription("a", "d", "2024-01-01", mrr=7), "source": "other"}
    moved = Business([one, two], [change("a", "2024-02-01", mrr=9)]).moved()
    assert counted(moved) == {"new": 2, "expansion": 1, "churn": 1}


def test_an_unknown_definition_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'chartmogul'"):
        find_definition("chartmogel")


def town(seed: int) -> Business:
    """Return a business of many people in which everything happens."""
    roll = random.Random(seed)
    start = datetime(2023, 1, 1, tzinfo=UTC)

    def some(days: int) -> datetime:
        return start + timedelta(minutes=roll.randrange(days * 24 * 60))

    rows = []
    for number in range(120):
        begun = some(700)
        ends = begun + timedelta(days=roll.randrange(-3, 400))
        rows.append(
            subscription(f"s{number}", f"c{roll.randrange(60)}", "2023-01-01")
            | {
                "started_at": begun,
                "ended_at": roll.choice([None, ends, ends]),
                "amount": roll.choice([None, Decimal(roll.randrange(10_000)).scaleb(-2)]),
                "mrr": roll.choice([None, None, Decimal(roll.randrange(10_000)).scaleb(-2)]),
                "interval": roll.choice([None, "month", "year", "3 months", "week", "odd"]),
                "is_trial": roll.choice([None, False, False, True]),
                "cancelled_at": roll.choice([None, ends - timedelta(days=9)]),
                "end_reason": roll.choice([None, None, "payment_failed", "too expensive"]),
            }
        )
    numbers = [f"s{roll.randrange(120)}" for _ in range(80)]
    changes = [
        change(number, "2023-01-01", mrr=roll.randrange(90)) | {"changed_at": some(900)}
        for number in dict.fromkeys(numbers)
    ]
    pauses = []
    for one in dict.fromkeys(numbers[:40]):
        since = some(800)
        until = since + timedelta(days=roll.randrange(1, 90))
        row = pause(one, "2023-01-01") | {"paused_at": since}
        pauses.append(row | {"resumed_at": roll.choice([None, until])})
    said = [
        cancellation(f"x{n}", f"c{roll.randrange(60)}", "2023-01-01", roll.choice(["", "price"]))
        | {"cancelled_at": some(900)}
        for n in range(50)
    ]
    return Business(rows, changes, pauses, said, zone="Europe/London")


@pytest.fixture(scope="module")
def local() -> Iterator[Engine]:
    engine = town(3).shop().engine()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def remote(postgres_url: str) -> Iterator[Engine]:
    con = ibis.connect(postgres_url)
    town(3).shop().load_into(con)
    engine = open_warehouse(postgres_url, currency=CURRENCY, zone="Europe/London")
    yield engine
    engine.close()
    for name in town(3).shop().tables():
        con.drop_table(name)
    con.disconnect()


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("definition", SOME, ids=lambda one: one.name)
def test_opening_and_movements_are_closing_in_every_month(
    local: Engine, definition: Definition
) -> None:
    found = build_subscriptions(local.facts(), local.run, as_of=NOW, definition=definition)
    assert found is not None
    require_closing(found)


@pytest.mark.long
@pytest.mark.parametrize("definition", SOME[1:], ids=lambda one: one.name)
def test_the_movements_of_everybody_are_what_they_bring_in_the_end(
    local: Engine, definition: Definition
) -> None:
    """So it holds for every segment, whatever people are parted by."""
    facts = local.facts()
    moved, brings = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
    for row in local.run(build_movements(facts, NOW, definition)).to_pylist():
        moved[row["customer_id"]] += row["amount"]
    standing = build_standing(facts, NOW, definition).order_by("at", "kind")
    last = {
        (row["source"], row["subscription_id"]): (row["customer_id"], row["mrr"])
        for row in local.run(standing).to_pylist()
    }
    for customer, mrr in last.values():
        brings[customer] += mrr
    assert sum(brings.values()) > 0
    assert {who: moved[who] for who in brings} == brings


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("definition", SOME[1:], ids=lambda one: one.name)
def test_the_past_stays_what_it_was(local: Engine, definition: Definition) -> None:
    """What is asked of an earlier date is the same as what is asked of today up to then."""
    facts = local.facts()
    whole = local.run(build_movements(facts, NOW, definition)).to_pylist()
    for day in ("2024-02-29", "2024-10-27"):
        then = local.run(build_movements(facts, at(day), definition)).to_pylist()
        # The London day that the instant lies in is not over yet.
        until = at(day).date()
        assert told(then, until) == told(whole, until)


def told(rows: list[dict[str, Any]], until: date) -> set[tuple[Any, ...]]:
    names = ("customer_id", "on", "movement", "amount")
    return {tuple(row[name] for name in names) for row in rows if row["on"] < until}


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("name", ["ours", "recurly-mrr"])
def test_the_figures_are_the_same_on_postgresql(local: Engine, remote: Engine, name: str) -> None:
    one, other = (
        build_subscriptions(e.facts(), e.run, as_of=NOW, definition=DEFINITIONS[name])
        for e in (local, remote)
    )
    assert one is not None
    assert other is not None
    assert one.to_json() == other.to_json()
    assert sum(rate.reactivated for rate in one.rates) > 0


@pytest.mark.long
def test_departures_agree_with_movements(local: Engine) -> None:
    facts = local.facts()
    moved = local.run(build_movements(facts, NOW, OURS)).to_pylist()
    gone = local.run(build_departures(facts, NOW, OURS)).to_pylist()
    assert len(gone) == sum(row["movement"] == "churn" for row in moved)
    assert sum(row["back_on"] is not None for row in gone) == sum(
        row["movement"] == "reactivation" for row in moved
    )
    assert sum(row["lost"] for row in gone) == -sum(
        row["amount"] for row in moved if row["movement"] == "churn"
    )


@pytest.mark.long
def test_a_pause_or_a_change_from_a_file_of_its_own_is_of_the_subscription() -> None:
    """Sources have names of their own, so that the files of one system are several sources."""
    business = Business(
        [subscription("a", "c", "2024-01-01", mrr=9)],
        changes=[{**change("a", "2024-02-01", mrr=12), "source": "changes"}],
        pauses=[{**pause("a", "2024-03-01"), "source": "pauses"}],
    )
    assert [(day, word) for day, word, _ in business.moved()] == [
        ("2024-01-01", "new"),
        ("2024-02-01", "expansion"),
        ("2024-03-01", "contraction"),
    ]


def test_a_change_without_a_price_changes_none() -> None:
    begun = [subscription(n, n, "2024-01-01", mrr=20) for n in ("a", "b")]
    told = [change("a", "2024-02-01", plan="team"), change("b", "2024-03-01", quantity=3)]
    odd = change("b", "2024-04-01", amount=240, interval="annual plan")
    business = Business(begun, [*told, odd])
    assert counted(business.moved()) == {"new": 2}
    engine = business.shop().engine()
    (unread,) = engine.run(build_unreadable(engine.facts(), NOW)).to_pylist()
    engine.close()
    assert unread == {"no_price": 1, "no_interval": 1, "example": "annual plan"}


def test_a_number_that_is_given_again_takes_no_pause_and_no_price_along() -> None:
    begun = subscription("a", "c", "2025-06-01", mrr=15, begun_count=2)
    old = change("a", "2023-06-01", mrr=99), pause("a", "2023-11-01")
    again = Business([begun], [old[0]], [old[1]])
    assert [row[1:] for row in cents(again.moved())] == [("new", "15.00")]
    # Of what was noted earlier of a first stay, the newest counts.
    first = {**begun, "begun_count": 1}
    told = (("03", 30), ("01", 20), ("02", 50))
    several = [change("a", f"2025-05-{day}", mrr=mrr) for day, mrr in told]
    for rows in (several, several[::-1]):
        assert [row[1:] for row in cents(Business([first], rows).moved())] == [("new", "30.00")]


@pytest.mark.long
def test_months_are_those_of_the_calendar() -> None:
    ends = {"f": ("2025-02-01", "2025-03-01", 1), "q": ("2025-01-01", "2025-03-01", 2)}
    ends |= {"h": ("2025-01-01", "2025-06-01", 5), "y": ("2025-01-01", "2026-01-01", 12)}
    stays = [subscription(n, n, begun, ended, mrr=9) for n, (begun, ended, _) in ends.items()]
    engine = Business(stays).shop().engine()
    profiles = build_profiles(engine.facts(), at("2026-02-01"), LifecycleSettings())
    rows = {row["customer_id"]: row for row in engine.run(profiles).to_pylist()}
    engine.close()
    assert {n: rows[n]["paid_months"] for n in ends} == {n: one[2] for n, one in ends.items()}
    assert {n: rows[n]["months_since_churn"] for n in ends} == {"f": 11, "q": 11, "h": 8, "y": 1}
