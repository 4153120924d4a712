"""Who renews on the 31st is renewed on the last day of short months, and nothing else moves."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.billing import pull_facts
from rekindle.runtime import Workspace
from rekindle.subscriptions import OURS, build_movements
from rekindle.testing.biller import FakeBiller

SETTINGS = """[workspace]
currency = "USD"
timezone = "Europe/Berlin"
[billing]
provider = "stripe"
url = "{url}"
"""


def test_a_year_of_renewals_on_the_31st_is_twelve_months_and_no_movement(
    fake: FakeBiller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REKINDLE_STRIPE_KEY", "sk_test_fake")
    monkeypatch.setenv("REKINDLE_STRIPE_WEBHOOK_SECRET", "whsec_test")
    (tmp_path / "rekindle.toml").write_text(SETTINGS.format(url=fake.url))
    space = Workspace.open(tmp_path, clock=fake.world.clock)
    world = fake.world
    customer = world.add_customer("ann@example.com")["id"]
    world.add_card(customer)
    world.subscribe(customer, world.add_plan(amount=1000)["id"])
    for _ in range(4):  # every quarter is listed anew, and says nothing new of the price
        world.advance(timedelta(days=91))
        pull_facts(space.config.billing, tmp_path, now=space.clock.now(), bring=space.import_from)
    engine, facts = space.reading
    rows = engine.run(facts.more["invoices"]).to_pylist()
    spans = sorted(f"{one['period_starts_at']:%m-%d} {one['period_ends_at']:%m-%d}" for one in rows)
    assert spans == [
        "01-31 02-28", "02-28 03-31", "03-31 04-30", "04-30 05-31", "05-31 06-30", "06-30 07-31",
        "07-31 08-31", "08-31 09-30", "09-30 10-31", "10-31 11-30", "11-30 12-31", "12-31 01-31",
    ]  # fmt: skip
    moved = engine.run(build_movements(facts, space.clock.now(), OURS)).to_pylist()
    assert [(one["movement"], one["amount"]) for one in moved] == [("new", 10)]
