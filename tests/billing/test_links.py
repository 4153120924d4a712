from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rekindle.clock import MovableClock
from rekindle.consent import LinkPurpose, read_link
from rekindle.runtime import Workspace
from rekindle.worker.links.subscribing import find_subscriptions, sign_subscription

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ROWS = """subscription_id,customer_id,started_at,plan,amount,currency
sub_1,ada,2025-01-01,Gold,10,GBP
sub_2,ada,2025-06-01,Gold,10,GBP
sub_3,ada,2026-06-01,Gold,10,GBP
sub_4,bob,2025-02-01,Gold,10,GBP
"""
SETTINGS = """[workspace]
currency = "GBP"
[[sources]]
name = "stripe"
table = "subscriptions"
path = "subs.csv"
[sources.columns]
subscription_id = "subscription_id"
customer_id = "customer_id"
started_at = "started_at"
plan = "plan"
amount = "amount"
currency = "currency"
"""


def test_a_link_is_to_the_subscription_that_began_last(tmp_path: Path) -> None:
    (tmp_path / "subs.csv").write_text(ROWS)
    (tmp_path / "rekindle.toml").write_text(SETTINGS)
    space = Workspace.open(tmp_path, clock=MovableClock(NOW))
    space.import_facts()
    found = find_subscriptions(space, ["ada", "bob", "cy"], NOW)
    assert found == {"ada": "sub_2", "bob": "sub_4"}
    url = sign_subscription(space, "ada", "sub_2", "touch", NOW)
    link = read_link(space.secret, LinkPurpose.SUBSCRIPTION, url.rpartition("/")[2])
    assert link is not None
    assert (link.person, link.about, (link.until - NOW).days) == ("ada", "sub_2 touch", 30)
