"""The figures of RavenStack's subscriptions, and what its own words for churn are worth.

Source, terms and what was left out: ravenstack/README.md. Its author published no figures; these
were added up from the file by the rules of ChartMogul, by account and day.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from rekindle.facts import Engine
from rekindle.insights.subscribers import build_subscriptions
from rekindle.insights.subscribers.differing import reconcile
from rekindle.subscriptions import DEFINITIONS, OURS, build_movements
from tests.subscriptions.businesses import Business, at, subscription

FOLDER = Path(__file__).parent / "ravenstack"
END = at("2025-01-01")
CHARTMOGUL = DEFINITIONS["chartmogul"]
FIGURES = {
    "new": (500, Decimal(1_395_251)),
    "expansion": (3_567, Decimal(9_853_054)),
    "contraction": (374, Decimal(-1_067_425)),
    "churn": (9, Decimal(-43_703)),
    "reactivation": (9, Decimal(22_431)),
}
CLOSING = Decimal(10_159_608)


def rows(file: str) -> Iterator[Mapping[str, str]]:
    with gzip.open(FOLDER / f"{file}.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    business = Business(
        [
            subscription(
                f"s{number}",
                row["account"],
                row["start_date"],
                row["end_date"] or None,
                mrr=row["mrr_amount"],
                is_trial=row["is_trial"] == "yes",
            )
            for number, row in enumerate(rows("subscriptions"))
        ]
    )
    engine = business.shop().engine()
    yield engine
    engine.close()


@pytest.mark.long
def test_its_movements_come_to_its_closing_mrr(engine: Engine) -> None:
    found = build_subscriptions(engine.facts(), engine.run, as_of=END, definition=CHARTMOGUL)
    assert found is not None
    moved = {
        one.value: (total.count, total.amount.amount) for one, total in found.movements.items()
    }
    assert moved == FIGURES
    assert (found.opening.amount, found.closing.amount, found.active) == (Decimal(0), CLOSING, 500)
    assert sum(amount for _, amount in FIGURES.values()) == CLOSING


def test_the_closing_mrr_is_that_of_the_subscriptions_that_run() -> None:
    """By the file alone, without a word of ours."""
    running = (row for row in rows("subscriptions") if not row["end_date"])
    assert sum(Decimal(row["mrr_amount"]) for row in running) == CLOSING


def test_ours_and_chartmoguls_rules_agree_where_nobody_pauses(engine: Engine) -> None:
    found = reconcile(engine.facts(), engine.run, as_of=END, one=OURS, other=CHARTMOGUL)
    assert not found.differences


@pytest.mark.long
def test_its_own_words_do_not_follow_from_its_subscriptions(engine: Engine) -> None:
    events = list(rows("churn_events"))
    said = {row["account"] for row in events}
    called = {row["account"] for row in events if row["account_churn_flag"]}
    flagged = [row for row in events if row["is_reactivation"]]
    assert (len(said), len(said - called), len(flagged)) == (352, 277, 61)

    back = defaultdict[str, list[date]](list)
    moved = Counter[str]()
    for row in engine.run(build_movements(engine.facts(), END, CHARTMOGUL)).to_pylist():
        moved[row["movement"]] += 1
        if row["movement"] == "reactivation":
            back[row["customer_id"]].append(row["on"])
    assert (moved["churn"], moved["reactivation"]) == (9, 9)
    accounts = {row["account"] for row in flagged}
    assert (len(accounts), len(accounts & back.keys())) == (55, 0)
    # Nor does any of the flags have the day of a return.
    assert not [
        row for row in flagged if date.fromisoformat(row["churn_date"]) in back[row["account"]]
    ]
