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
SEVERAL = """subscription_id,customer_id,started_at,ended_at,plan,amount,currency
owing,ada,2023-01-01,,Gold,10,GBP
ended,ada,2024-01-01,2025-01-01,Gold,10,GBP
late,bob,2024-01-01,2025-06-01,Gold,10,GBP
soon,bob,2024-06-01,2025-01-01,Gold,10,GBP
runs,cy,2024-01-01,,Gold,10,GBP
over,cy,2025-01-01,2025-06-01,Gold,10,GBP
theirs,dee,2024-01-01,2025-01-01,Gold,10,GBP
"""
ELSEWHERE = """subscription_id,customer_id,started_at,plan,amount,currency
old-crm-77,dee,2025-06-01,Gold,10,GBP
old-crm-78,eve,2025-06-01,Gold,10,GBP
"""
PAYMENTS = """payment_id,customer_id,subscription_id,attempted_at,outcome,amount
p1,ada,owing,2026-02-20,failed,10
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


def source(name: str, table: str, file: str, header: str) -> str:
    columns = "".join(f'{one} = "{one}"\n' for one in header.split(","))
    named = f'[[sources]]\nname = "{name}"\ntable = "{table}"\npath = "{file}"\n'
    return f"{named}[sources.columns]\n{columns}"


def test_of_several_it_is_the_one_the_page_can_do_something_about(tmp_path: Path) -> None:
    settings = '[workspace]\ncurrency = "GBP"\n[billing]\nprovider = "stripe"\n'
    for name, table, text in (
        ("stripe", "subscriptions", SEVERAL),
        ("crm", "subscriptions", ELSEWHERE),
        ("stripe", "payments", PAYMENTS),
    ):
        file = f"{name}-{table}.csv"
        (tmp_path / file).write_text(text)
        settings += source(name, table, file, text.partition("\n")[0])
    (tmp_path / "rekindle.toml").write_text(settings)
    space = Workspace.open(tmp_path, clock=MovableClock(NOW))
    space.import_facts()
    assert find_subscriptions(space, ["ada", "bob", "cy", "dee", "eve"], NOW) == {
        "ada": "owing",
        "bob": "late",
        "cy": "runs",
        "dee": "theirs",
        "eve": "old-crm-78",
    }
