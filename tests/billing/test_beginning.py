"""A workspace begins with what a biller has, and nothing is written where it does not answer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.config import load_config
from rekindle.testing.biller import FakeBiller
from tests.billing.conftest import CHARGEBEE
from tests.billing.stages import ChargebeeStage
from tests.cli.commands import rekindle

SECRETS = {
    "REKINDLE_STRIPE_KEY": "sk_test_fake",
    "REKINDLE_STRIPE_WEBHOOK_SECRET": "whsec_test",
}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SECRETS, **CHARGEBEE}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.long
def test_a_workspace_begins_with_stripe_and_is_audited_at_once(
    fake: FakeBiller, tmp_path: Path
) -> None:
    world = fake.world
    price = world.add_plan(currency="eur")["id"]
    for number in range(3):
        customer = world.add_customer(f"u{number}@example.com")["id"]
        world.add_card(customer)
        world.subscribe(customer, price)
    world.advance(timedelta(days=40))
    folder = tmp_path / "club"
    made = rekindle("init", folder, "--biller", "stripe", "--biller-url", fake.url)
    assert made.code == 0, made.err
    said = " ".join(made.err.split())
    assert "Stripe is asked with REKINDLE_STRIPE_KEY and REKINDLE_STRIPE_WEBHOOK_SECRET" in said
    assert "next: rekindle audit -C" in said
    config, text = load_config(folder), (folder / "rekindle.toml").read_text()
    assert (config.billing.provider, config.workspace.currency) == ("stripe", "EUR")
    assert "sk_test" not in text
    assert "whsec" not in text
    audit = rekindle("audit", "-C", folder, "--json")
    assert audit.code == 0, audit.err
    assert audit.document["subscriptions"]["active"] == 3
    again = rekindle("pull", "-C", folder)
    assert again.code == 0, again.err


@pytest.mark.long
def test_it_begins_with_chargebee(chargebee: ChargebeeStage, tmp_path: Path) -> None:
    chargebee.subscribe(chargebee.add_person())
    made = rekindle(
        "init",
        tmp_path / "club",
        *("--biller", "chargebee", "--account", "acme-test"),
        *("--customer-key", "user_id", "--biller-url", chargebee.fake.url),
    )
    assert made.code == 0, made.err
    billing = load_config(tmp_path / "club").billing
    assert (billing.account, billing.customer_key) == ("acme-test", "user_id")


def test_an_empty_account_is_said_and_the_workspace_waits(fake: FakeBiller, tmp_path: Path) -> None:
    made = rekindle("init", tmp_path / "new", "--biller", "stripe", "--biller-url", fake.url)
    assert made.code == 0, made.err
    assert "Stripe has no subscription yet; when it has: rekindle pull" in " ".join(
        made.err.split()
    )
    assert "next: rekindle audit" not in made.err
    assert load_config(tmp_path / "new").billing.provider == "stripe"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("wrong key", "Stripe lists nothing for REKINDLE_STRIPE_KEY and"),
        ("no key", "REKINDLE_STRIPE_KEY is empty; set it, or REKINDLE_STRIPE_KEY_FILE, in the"),
        ("no network", "Stripe does not answer: Stripe: APIConnectionError (no answer)"),
        ("no such biller", "billing.provider is 'strype'; there are chargebee, stripe"),
        ("no biller", "--account, --customer-key and --biller-url go with --biller NAME"),
        ("bad address", "--biller-url is no address"),
    ],
)
def test_where_it_cannot_begin_a_sentence_says_why_and_nothing_is_written(
    fake: FakeBiller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, said: str
) -> None:
    biller, url = ["--biller", "stripe"], fake.url
    if what == "wrong key":
        monkeypatch.setenv("REKINDLE_STRIPE_KEY", "sk_live_of_others")
    elif what == "no key":
        monkeypatch.delenv("REKINDLE_STRIPE_KEY")
    elif what == "no network":
        fake.breaks_after = 0
    elif what == "no such biller":
        biller = ["--biller", "strype"]
    elif what == "no biller":
        biller = []
    else:
        url = "ftp://nowhere"
    made = rekindle("init", tmp_path / "new", *biller, "--biller-url", url)
    assert made.code != 0
    assert said in " ".join(made.err.split())
    assert "sk_live_of_others" not in made.err
    assert "Traceback" not in made.err
    assert not (tmp_path / "new").exists()
