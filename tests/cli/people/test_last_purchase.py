"""A subscription that begins is a purchase wherever it is asked when somebody bought last."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rekindle.clock import MovableClock
from rekindle.consent import NO_RESPONSE
from rekindle.desk import LedgerCustomers, explain_customer, prove_consent
from rekindle.ledger import leave_alone
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel
from rekindle.worker import Worker, apply_hygiene, find_hygiene
from rekindle.worker.keeping.expiring import find_expiring
from rekindle.worker.links.coming_back import LedgerWaysBack
from tests.cli.commands import rekindle
from tests.runtime.shops import close_ledgers

NOW = datetime(2025, 6, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
EMAIL = Channel("email")
FILES = {
    "orders": "order_id,customer_id,ordered_at,gross\n1,old,2022-01-05,9\n2,past,2022-01-05,9\n"
    "3,left,2022-01-05,9\n4,other,2025-06-09,9\n",
    "subscriptions": "subscription_id,customer_id,started_at,ended_at,amount,interval\n"
    "a,ann,2025-05-01,,9,month\nb,old,2024-03-01,,9,month\n"
    "c,left,2023-03-01,2025-05-20,9,month\nd,cat,2023-07-01,2023-09-01,9,month\n",
    "customers": "customer_id,email,country\nann,ann@x.example,GB\nold,old@x.example,GB\n"
    "past,past@x.example,GB\nleft,left@x.example,GB\ncat,cat@x.example,CA\nnew,new@x.example,GB\n",
}
SETTINGS = """
[consent]
soft_opt_in = true
[hygiene]
archive_after = "400 days"
"""


@pytest.fixture
def club(tmp_path: Path) -> Iterator[Workspace]:
    """Yield a business of orders and subscriptions, whose worker has looked."""
    options: list[str] = []
    for table, text in FILES.items():
        (tmp_path / f"{table}.csv").write_text(text, encoding="utf-8")
        options += [f"--{table}", str(tmp_path / f"{table}.csv")]
    made = tmp_path / "club"
    found = rekindle("init", made, *options, "--yes", "--timezone", "UTC", "--currency", "GBP")
    assert found.code == 0, found.err
    toml = made / "rekindle.toml"
    text = toml.read_text(encoding="utf-8").replace("[consent]", "[was]")
    toml.write_text(text[: text.find("[was]")] if "[was]" in text else text, encoding="utf-8")
    toml.write_text(toml.read_text(encoding="utf-8") + SETTINGS, encoding="utf-8")
    space = Workspace.open(made, clock=MovableClock(NOW))
    space.import_facts()
    Worker(space).tick()
    yield space
    close_ledgers()


def test_who_subscribed_bought(club: Workspace) -> None:
    proof = prove_consent(club, "ann", NOW)
    assert proof.bought_at is not None
    assert proof.bought_at.date().isoformat() == "2025-05-01"
    (mail,) = [one for one in proof.standings if one.channel == EMAIL]
    told = explain_customer(club, "ann", NOW)
    assert (mail.is_granted, mail.rule) == (True, "soft_opt_in")
    assert (told.permission.is_granted, told.permission.rule.value) == (True, "soft_opt_in")
    (verdict,) = [one for one in told.verdicts if one.channel == EMAIL]
    assert verdict.decision.answer.value == "send"


def test_a_box_that_is_cleared_is_a_no(club: Workspace) -> None:
    customers = LedgerCustomers(club)
    for person, was_on in (("ann", True), ("new", False)):
        known = customers.look(person)
        assert known is not None
        assert known.channels["email"] is was_on
        customers.choose(person, dict.fromkeys(known.channels, False), {}, None, {})
        permission = explain_customer(club, person, NOW).permission
        # Also of who never bought: a purchase of tomorrow does not undo what they said today.
        assert (permission.is_granted, permission.rule.value) == (False, "withdrawn")
    told = len(club.history.consents_of("new"))
    customers.choose("new", {"email": False}, {}, None, {})
    assert len(club.history.consents_of("new")) == told  # once is enough


@pytest.mark.long
def test_nobody_who_subscribes_is_archived(club: Workspace) -> None:
    assert find_hygiene(club, NOW).archive == ["cat", "past"]
    # Who left was here until they did.
    assert find_hygiene(club, NOW + 370 * DAY).archive == ["cat", "past"]
    assert find_hygiene(club, NOW + 390 * DAY).archive == ["cat", "left", "past"]


@pytest.mark.long
def test_who_subscribed_since_is_written_to_again(club: Workspace) -> None:
    leave_alone(club.ledger, [("ann", "email", NO_RESPONSE)], NOW - 60 * DAY)
    found = find_hygiene(club, NOW)
    assert found.returned == ["ann"]
    apply_hygiene(club, found, NOW, who="ben")
    assert club.history.suppressions_of("ann") == []


@pytest.mark.long
def test_the_permission_of_a_subscription_ends_as_that_of_an_order(club: Workspace) -> None:
    found = find_expiring(club, within=60 * DAY, at=NOW)
    assert {(one.person, one.until.date().isoformat()) for one in found} == {("cat", "2025-07-01")}


@pytest.mark.long
def test_the_way_back_knows_that_they_subscribed(club: Workspace) -> None:
    ways = LedgerWaysBack(club)
    assert ways._bought_since("ann", NOW - 60 * DAY, NOW)
    assert not ways._bought_since("ann", NOW - 30 * DAY, NOW)
    assert not ways._bought_since("new", NOW - 60 * DAY, NOW)
