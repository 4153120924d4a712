"""A biller from outside: installed, and asked everywhere without another edit."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from rekindle.billing import Biller, build_biller, find_billers, pull_facts
from rekindle.clock import MovableClock
from rekindle.config import BillingSettings
from rekindle.errors import ConfigError
from rekindle.ledger import disconnect
from rekindle.ledger.intake_models import BillerCharge
from rekindle.runtime import Workspace
from rekindle.testing.biller import FakeBiller, running_biller
from rekindle.testing.biller.contract import BillerContract, BillerStage, Signed
from rekindle.web import build_site
from rekindle.worker import examine
from rekindle.worker.keeping.retrying import RetryKeeper
from tests.extensions.conftest import Install, files_of
from tests.extensions.till import KEY, TillStage, running_till
from tools.reference import PAGES

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SETTINGS = """[workspace]
currency = "USD"
[billing]
provider = "till"
url = "{url}"
retries = ["3 days"]
"""


@pytest.fixture
def fake() -> Iterator[FakeBiller]:
    with running_biller(MovableClock(NOW)) as running:
        yield running


@pytest.fixture
def url(install: Install, fake: FakeBiller, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("SHOP_TILL_KEY", KEY)
    install(files_of("biller.md"))
    with running_till(fake) as found:
        yield found


@pytest.fixture
def biller(url: str) -> Biller:
    found = build_biller(BillingSettings(provider="till", url=url))
    assert found is not None
    return found


@pytest.fixture
def space(url: str, tmp_path: Path, fake: FakeBiller) -> Iterator[Workspace]:
    folder = tmp_path / "club"
    folder.mkdir()
    (folder / "rekindle.toml").write_text(SETTINGS.format(url=url))
    workspace = Workspace.open(folder, clock=fake.world.clock)
    yield workspace
    disconnect(workspace.ledger)


class TestTill(BillerContract):
    @pytest.fixture
    def stage(self, fake: FakeBiller, biller: Biller) -> BillerStage:
        return TillStage(fake, biller)


def pull(space: Workspace) -> dict[str, int]:
    now, bring = space.clock.now(), space.import_from
    found = pull_facts(space.config.billing, space.directory, now=now, bring=bring)
    return {one.table: one.read for one in found}


def post(space: Workspace, notice: Signed) -> tuple[str, Any]:
    headers, body = notice
    said: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/v1/notices/till",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_SIGNATURE": headers["x-signature"],
        "wsgi.input": io.BytesIO(body),
    }
    answer = build_site(space)(environ, lambda status, headers: said.append(status))
    return said[0][:3], json.loads(b"".join(answer))


def told(space: Workspace) -> str:
    lines = [one for one in examine(space) if one.about == "billing"]
    return "\n".join(f"{one.found} {one.remedy}" for one in lines)


@pytest.mark.long
def test_it_goes_through_pull_notices_retries_and_doctor(
    space: Workspace, fake: FakeBiller, biller: Biller
) -> None:
    stage = TillStage(fake, biller)
    fake.world.retries = False
    customer = stage.add_person("u1")
    subscription = stage.subscribe(customer)
    stage.spoil(customer, "declines")
    stage.advance(timedelta(days=28))
    counts = pull(space)
    assert (counts["subscriptions"], counts["payments"], counts["payment_methods"]) == (1, 2, 1)
    space.book.save_people([])  # which makes the ledger
    said = told(space)
    assert "no notice of the till came yet" in said
    assert "v1/notices/till at the till, version 3, for subscription, invoice" in said

    fake.world.clock.move(timedelta(days=3))
    keeper, before = RetryKeeper(space), stage.attempts()
    assert [keeper.look(), keeper.look(), stage.attempts() - before] == [1, 0, 1]
    (row,) = BillerCharge.objects.using(space.ledger)
    assert (row.provider, row.state, row.decline_code) == ("till", "declined", "insufficient_funds")

    stage.end(subscription)
    notice = stage.notices()[-1]
    assert post(space, stage.forged(notice)[0])[0] == "403"
    assert post(space, stage.outdated(notice))[0] == "400"
    assert post(space, notice) == ("200", {"success": True, "new": 1})
    assert post(space, notice) == ("200", {"success": True, "new": 0})
    assert "the till sends its notices to" in told(space)


def test_the_table_of_billers_shows_it(url: str) -> None:
    page = next(page for page in PAGES if page.source == "rekindle.billing:describe_billers")
    module, _, name = page.source.partition(":")
    text = page.render(getattr(import_module(module), name))
    (row,) = [line for line in text.splitlines() if line.startswith("| `till` |")]
    assert "another takes its place | are signed | yes | no | 20 hours |" in row


def test_without_it_or_its_key_it_is_said_what_is_missing(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = BillingSettings(provider="till", url="http://127.0.0.1:1")
    with pytest.raises(ConfigError, match=r"billing.provider is 'till'; there are .*stripe"):
        build_biller(settings)
    install(files_of("biller.md"))
    monkeypatch.delenv("SHOP_TILL_KEY", raising=False)
    with pytest.raises(ConfigError, match="SHOP_TILL_KEY is empty"):
        build_biller(settings)


def test_what_is_no_biller_is_refused(install: Install) -> None:
    install({**files_of("biller.md"), "shop_till/__init__.py": "BILLER = 3"})
    with pytest.raises(ConfigError, match=r"shop_till:BILLER .* is no BillerFolder"):
        find_billers()
