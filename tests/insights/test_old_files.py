"""A file from the past: every question of its end is answered from all that was read of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from rekindle.clock import MovableClock
from rekindle.desk import count_audience, export_audience, replay_journey
from rekindle.insights import JourneyReport, check_refused
from rekindle.journeys import load_journey
from rekindle.runtime import Workspace
from rekindle.vocabulary import Tier, Unknown
from tests.cli.commands import rekindle

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = "order_id,customer_id,email,ordered_at,gross,status,cancelled_at,refund,refunded_at"
SETTINGS = """
[workspace]
name = "old"
timezone = "UTC"
currency = "EUR"
[[sources]]
name = "shop"
table = "orders"
path = "orders.csv"
[sources.columns]
order_id = "order_id"
customer_id = "customer_id"
email = "email"
ordered_at = "ordered_at"
gross = "gross"
status = "status"
cancelled_at = "cancelled_at"
refund = "refund"
refunded_at = "refunded_at"
"""
SILENT = "tier in ('lapsed', 'dormant', 'gone')"
WIN_BACK = """
journey: win-back
enter: {audience: "tier in ('lapsed', 'dormant', 'gone')"}
goal: {on: order, within: 30 days}
holdout: 0.5
steps:
  - wait: 60 days
  - send: {channel: email, template: hello}
"""
TEMPLATE = """---
subject: Hello
---
<mjml><mj-body><mj-section><mj-column><mj-text>Hello {{ shop.postal_address }}
<a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text></mj-column></mj-section></mj-body></mjml>
"""


def bring(folder: Path, rows: Iterable[str]) -> Workspace:
    folder.mkdir(exist_ok=True)
    (folder / "rekindle.toml").write_text(SETTINGS)
    (folder / "orders.csv").write_text("\n".join([HEAD, *rows]) + "\n")
    space = Workspace.open(folder, clock=MovableClock(NOW))
    space.import_facts()
    return space


def replay(space: Workspace, first: date, last: date) -> JourneyReport:
    for name, text in (("journeys/win-back.yaml", WIN_BACK), ("templates/hello.mjml", TEMPLATE)):
        path = space.directory / name
        path.parent.mkdir()
        path.write_text(text)
    journey = load_journey(space.directory / "journeys/win-back.yaml")
    return replay_journey(space, journey, first=first, last=last)


def refused(space: Workspace) -> tuple[int, int]:
    """Return how many rows of orders were read, and how many were refused."""
    found = space.audit().rows
    assert not isinstance(found, Unknown)
    engine, facts = space.reading
    assert bool(check_refused(facts, engine.run, most=1)) is (found.quarantined > 0)
    return found.read, found.quarantined


def rows(*ending: str) -> list[str]:
    """Return three purchases of ten people, and one of ``ending`` each in December 2024."""
    found = []
    for number in range(10):
        who = f"c{number},c{number}@x.example"
        found += [f"{number}-{day},{who},{day},50,paid,,," for day in ("2023-10-01", "2023-11-15")]
        found += [f"{number}-x,{who},2024-01-01,50,paid,,,"]
        found += [f"{number}-{place},{who},{one}" for place, one in enumerate(ending)]
    return [*found, "last,z,z@x.example,2024-12-29,5,paid,,,"]


@pytest.mark.draws(1)
@pytest.mark.parametrize(
    "ending",
    [
        # It has no date: what was read after the last order is known at it.
        "2024-12-10,500,cancelled,,,",
        # What has one is known from then on, and no purchase either.
        "2024-12-10 10:00,500,cancelled,2024-12-10 15:00,,",
        "2024-12-10 10:00,500,paid,,500,2024-12-10 15:00",
    ],
)
def test_an_audit_and_an_audience_tell_the_same(tmp_path: Path, ending: str) -> None:
    space = bring(tmp_path, rows(ending))
    at = space.latest()
    assert at.date() <= date(2024, 12, 30)
    audit = space.audit()
    drifted = sum(audit.tiers[tier].customers for tier in (Tier.LAPSED, Tier.DORMANT, Tier.GONE))
    assert drifted == count_audience(space, SILENT, at).customers == 10
    assert audit.to_json() == space.audit(at).to_json()
    assert count_audience(space, "true", at).value == 1505


@pytest.mark.long
def test_an_audience_that_is_written_down_is_the_one_that_is_counted(tmp_path: Path) -> None:
    space = bring(tmp_path, rows("2024-12-10,500,cancelled,,,"))
    at = space.latest()
    assert export_audience(space, SILENT, at).num_rows == 10
    worth = export_audience(space, "true", at).column("lifetime_value").to_pylist()
    assert sum(one or 0 for one in worth) == 1505


@pytest.mark.long
def test_an_end_that_is_planned_does_not_move_the_end_of_the_orders(tmp_path: Path) -> None:
    """Everybody would be silent for days of which no order was exported."""
    at = bring(tmp_path, rows()).latest()
    plans = "id,who,from,to\ns1,c1,2024-01-01,2025-01-20\n"
    (tmp_path / "subs.csv").write_text(plans)
    columns = 'subscription_id = "id"\ncustomer_id = "who"\nstarted_at = "from"\nended_at = "to"\n'
    more = (
        '[[sources]]\nname = "s"\ntable = "subscriptions"\npath = "subs.csv"\n[sources.columns]\n'
    )
    (tmp_path / "rekindle.toml").write_text(f"{SETTINGS}{more}{columns}")
    space = Workspace.open(tmp_path, clock=MovableClock(NOW))
    space.import_facts()
    assert space.latest() == at


@pytest.mark.long
def test_a_payment_says_until_when_a_club_is_known(tmp_path: Path) -> None:
    """Nobody joined for months, and the club is no older for it."""
    (tmp_path / "subs.csv").write_text("subscription_id,customer_id,started_at\ns1,c1,2023-01-01\n")
    paid = "payment_id,customer_id,attempted_at,status\np1,c1,2024-03-05 11:00,paid\n"
    (tmp_path / "pay.csv").write_text(paid)
    made = tmp_path / "club"
    files = ("--subscriptions", str(tmp_path / "subs.csv"), "--payments", str(tmp_path / "pay.csv"))
    rekindle("init", str(made), *files, "--yes", "--timezone", "UTC", "--currency", "GBP")
    space = Workspace.open(made, clock=MovableClock(NOW))
    space.import_facts()
    assert space.latest().date() == date(2024, 3, 5)


@pytest.mark.long
def test_before_its_end_what_has_no_date_is_a_purchase(tmp_path: Path) -> None:
    space = bring(tmp_path, rows("2024-12-10,500,cancelled,,,"))
    assert count_audience(space, SILENT, datetime(2024, 12, 20, tzinfo=UTC)).customers == 0


@pytest.mark.long
def test_a_replay_knows_what_was_known_at_its_end(tmp_path: Path) -> None:
    bought = [one for one in rows("2024-10-01,80,cancelled,2024-12-01,,") if "z@" not in one]
    cut = [one.replace("cancelled,2024-12-01", "paid,") for one in bought]
    told = []
    for name, lines in (("whole", bought), ("cut", cut)):
        space = bring(tmp_path / name, lines)
        report = replay(space, date(2024, 9, 20), date(2024, 10, 20))
        told.append({arm: (one.returned, one.revenue) for arm, one in report.arms.items()})
    assert told[0] == told[1]
    assert sum(returned for returned, _ in told[0].values()) == 10


@pytest.mark.long
def test_a_window_that_ends_after_the_last_order_is_open(tmp_path: Path) -> None:
    report = replay(bring(tmp_path, rows()), date(2024, 12, 20), date(2025, 3, 20))
    assert sum(one.assigned for one in report.arms.values()) == report.still_open_windows > 0
    assert any("No order is known after 2024-12-29" in note for note in report.notes)


@pytest.mark.long
def test_a_day_is_its_end_however_it_is_written(tmp_path: Path) -> None:
    bring(tmp_path, rows())
    said = [
        rekindle("audience", "true", "-C", tmp_path, "--as-of", day, "--json").document["as_of"]
        for day in ("2024-12-29", "20241229", "2024-W52-7")
    ]
    assert len(set(said)) == 1


@pytest.mark.long
def test_a_file_that_was_mended_under_another_name_counts_once(tmp_path: Path) -> None:
    space = bring(tmp_path, [*rows(), *(f"b{n},b,b@x.example,never,1,paid,,," for n in range(30))])
    assert refused(space) == (61, 30)
    (tmp_path / "fixed.csv").write_text("\n".join([HEAD, *rows()]) + "\n")
    settings = (tmp_path / "rekindle.toml").read_text()
    (tmp_path / "rekindle.toml").write_text(settings.replace("orders.csv", "fixed.csv"))
    space = Workspace.open(tmp_path, clock=MovableClock(NOW.replace(day=2)))
    space.import_facts()
    assert refused(space) == (31, 0)
