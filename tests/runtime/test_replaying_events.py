"""Journeys that begin with an event, wait for one or for a date, replayed on history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from rekindle.clock import MovableClock
from rekindle.config import SourceSettings
from rekindle.desk import Scaffold, build_plan, create_workspace
from rekindle.desk.replaying import Rehearsal, rehearse
from rekindle.runtime import Workspace
from rekindle.vocabulary import Reason
from tests.runtime.shops import close_ledgers, set_key, write_csv

START = datetime(2024, 6, 3, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
BASKET = """\
journey: basket
enter: {on: cart_abandoned, audience: "country is not null"}
reenter: after 10 days
goal: {on: order, within: 14 days}
holdout: none
steps:
  - wait: 1 hour
  - send: {channel: email, template: check-in}
  - wait: {until: clicked, at_most: 3 days}
  - branch:
      - when: clicked
        steps:
          - send: {channel: email, template: nudge}
"""
RENEWAL = """\
journey: renewal
enter: {date: renews_on, days_before: 5}
goal: {on: order, within: 14 days}
holdout: none
steps:
  - wait: {until: {date: renews_on, days_before: 2}, at_most: 9 days}
  - send: {channel: email, template: check-in}
"""
# Who, when (days and hours after the start), what.
EVENTS = (
    ("ann", 2, 10, "Cart Abandoned"),
    ("ann", 3, 12, "Email Link Clicked"),
    ("bob", 2, 10, "Cart Abandoned"),
    ("cat", 2, 22, "cart_abandoned"),
    ("dan", 2, 10, "Cart Abandoned"),
    ("eve", 2, 10, "Page Viewed"),
    ("zoe", 2, 10, "Cart Abandoned"),
)
COUNTRIES = {"ann": "GB", "bob": "GB", "cat": "JP", "dan": "GB", "eve": "GB", "zoe": ""}


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    folder = tmp_path / "shop"
    orders = [order(person, START - 60 * DAY) for person in COUNTRIES]
    orders.append(order("dan", START + 2 * DAY + 10 * HOUR + timedelta(minutes=30)))
    write_csv(folder / "orders.csv", orders[0], orders)
    people = [
        {
            "customer_id": person,
            "email": f"{person}@example.com",
            "country": country,
            "email_consent": "yes",
            "email_consent_at": "2024-01-01T00:00:00+00:00",
            "renews_on": "2024-06-20" if person == "eve" else "",
        }
        for person, country in COUNTRIES.items()
    ]
    write_csv(folder / "customers.csv", people[0], people)
    events = [
        {
            "event_id": str(number),
            "customer_id": person,
            "event": event,
            "occurred_at": (START + days * DAY + hours * HOUR).isoformat(),
        }
        for number, (person, days, hours, event) in enumerate(EVENTS)
    ]
    write_csv(folder / "events.csv", events[0], events)
    create_workspace(
        folder,
        Scaffold(
            "Shop",
            "GBP",
            "UTC",
            (
                source("orders", orders[0]),
                source("customers", people[0]),
                source("events", events[0]),
            ),
        ),
    )
    set_key(folder, "postal_address", '"1 Wick Lane"')
    (folder / "journeys" / "basket.yaml").write_text(BASKET, encoding="utf-8")
    (folder / "journeys" / "renewal.yaml").write_text(RENEWAL, encoding="utf-8")
    workspace = Workspace.open(folder, clock=MovableClock(START + 20 * DAY))
    workspace.import_facts()
    yield workspace
    workspace.forget_facts()
    close_ledgers()


def source(table: str, row: dict[str, str]) -> SourceSettings:
    return SourceSettings.model_validate(
        {"name": table, "table": table, "path": f"{table}.csv", "columns": {k: k for k in row}}
    )


def order(person: str, at: datetime) -> dict[str, str]:
    return {
        "order_id": f"{person}-{at:%m%d}",
        "customer_id": person,
        "ordered_at": at.isoformat(),
        "gross": "30.00",
        "currency": "GBP",
    }


def run(space: Workspace, name: str) -> Rehearsal:
    return rehearse(space, space.journey(name), first=date(2024, 6, 3), last=date(2024, 6, 21))


def sends(found: Rehearsal) -> list[tuple[str, str, timedelta]]:
    return [(m.before.person, m.step.key, m.at - START) for m in found.replayed.sends]


def test_basket_is_answered_within_the_hour_and_not_after_the_purchase(space: Workspace) -> None:
    found = run(space, "basket")
    assert sends(found) == [
        ("ann", "check-in", 2 * DAY + 11 * HOUR),
        ("bob", "check-in", 2 * DAY + 11 * HOUR),
        # 22:00 UTC is seven in the morning in Japan, and eight is day.
        ("cat", "check-in", 2 * DAY + 23 * HOUR),
        ("ann", "nudge", 3 * DAY + 13 * HOUR),
    ]
    # Dan had bought by the time anybody looked; Zoe's country is not known.
    ended = {one.enrolment.person: one.ended for one in found.replayed.courses}
    assert ended == dict.fromkeys(("ann", "bob", "cat"), Reason.FINISHED)
    assert found.replayed.sent_after_return == 0


@pytest.mark.long
def test_date_that_draws_near_lets_people_in_and_is_waited_for(space: Workspace) -> None:
    found = run(space, "renewal")
    (only,) = found.replayed.courses
    assert (only.enrolment.person, only.ended) == ("eve", Reason.FINISHED)
    # Due at midnight, held over the night in Britain, found at the next full hour.
    assert sends(found) == [("eve", "check-in", 15 * DAY + 8 * HOUR)]


@pytest.mark.long
def test_plan_counts_whom_the_event_would_have_let_in(space: Workspace) -> None:
    plan = build_plan(space, space.journey("basket"), space.clock.now())
    assert plan.people == 4
    assert any("cart_abandoned" in note for note in plan.notes)
