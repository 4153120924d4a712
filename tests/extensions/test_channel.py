"""A channel from outside: installed, and known everywhere without another edit."""

from __future__ import annotations

import hmac
import io
import json
import sys
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import rekindle.channels
from rekindle.channels import describe_channels, discover
from rekindle.clock import MovableClock
from rekindle.config import SourceSettings, config_model, known_channels
from rekindle.consent import ConsentRecord
from rekindle.desk import (
    Scaffold,
    build_plan,
    create_workspace,
    explain_customer,
    report_journey,
    start_journey,
)
from rekindle.errors import ConfigError, JourneyError
from rekindle.gate import build_caps
from rekindle.journeys import Person, parse_journey
from rekindle.ledger import MessageState, disconnect, models
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, Purpose, Reason
from rekindle.web import build_site
from rekindle.worker import Worker
from tests.extensions.conftest import Install, files_of
from tests.runtime.shops import NOW, add_section, set_key
from tools.reference import PAGES

HOUSE = {one.parent.name for one in Path(rekindle.channels.__file__).parent.glob("*/outlet.py")}
WAYS = ("email", "pager")
KEY = "a key of the gateway"
PHONE = "+44 20 7946 0000"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BOTH = """\
journey: both
enter: {audience: orders_count >= 1}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send: {channel: pager, template: check-in}
  - wait: 2 days
  - send: {channel: email, template: nudge}
  - wait: 2 days
  - send: {channel: pager, template: new-arrivals}
"""


@pytest.fixture
def pager(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PAGER_KEY", KEY)
    install(files_of("channel.md"))


def build_workspace(folder: Path) -> None:
    """Make a workspace of one customer, who has an address and a phone."""
    folder.mkdir()
    then = (NOW - 200 * DAY).isoformat()
    files = {
        "orders.csv": f"order_id,customer_id,ordered_at,gross\no1,ann,{then},50\n",
        "customers.csv": f"customer_id,email,phone,country\nann,ann@example.com,{PHONE},GB\n",
    }
    sources = []
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
        columns = {column: column for column in text.partition("\n")[0].split(",")}
        table = name.removesuffix(".csv")
        sources.append(SourceSettings(name=table, table=table, path=name, columns=columns))
    create_workspace(folder, Scaffold("Shop", "GBP", "Europe/London", tuple(sources)))
    set_key(folder, "postal_address", '"1 High Street"')
    set_key(folder, "end", '"21:00"')
    add_section(folder, "[pager]\nper_minute = 600\n")
    (folder / "journeys" / "both.yaml").write_text(BOTH, encoding="utf-8")


class Shop:
    """A shop whose journey writes by pager and by e-mail, and a gateway that reports back."""

    def __init__(self, folder: Path) -> None:
        build_workspace(folder)
        self.folder, self.clock = folder, MovableClock(NOW)
        self.space = Workspace.open(folder, clock=self.clock)
        self.space.import_facts()
        yes = [ConsentRecord("ann", Channel(name), True, NOW - DAY, "form") for name in WAYS]
        self.space.book.save_people([Person("ann")])
        self.space.book.save_consent(yes)
        self.worker = Worker(self.space)

    def start(self) -> None:
        """Let the journey begin."""
        start_journey(self.space, self.space.journey("both"), NOW)
        self.tick()

    def mails(self) -> int:
        """Return how many e-mails left."""
        return len(list((self.folder / "state" / "outbox").glob("*.eml")))

    def tick(self, after: timedelta = timedelta()) -> Any:
        """Make a pass."""
        self.clock.move(after)
        return self.worker.tick()

    def pages(self) -> list[dict[str, str]]:
        """Return what the gateway was handed."""
        spool = self.folder / "state" / "pages.jsonl"
        lines = spool.read_text(encoding="utf-8").splitlines() if spool.exists() else []
        return [json.loads(line) for line in lines]

    def report(self, signed_with: str = KEY, **told: Any) -> tuple[str, Mapping[str, Any]]:
        """Post a report of the gateway; return the status and the answer."""
        body = json.dumps({"id": "1", "at": self.clock.now().isoformat(), **told}).encode()
        signature = hmac.new(signed_with.encode(), body, "sha256").hexdigest()
        said: list[str] = []
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/v1/reports/pager_gateway",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_X_SIGNATURE": signature,
            "wsgi.input": io.BytesIO(body),
        }
        answer = build_site(self.space)(environ, lambda status, headers: said.append(status))
        return said[0][:3], json.loads(b"".join(answer))


@pytest.fixture
def shop(pager: None, tmp_path: Path) -> Any:
    shop = Shop(tmp_path / "shop")
    yield shop
    disconnect(shop.space.ledger)


@pytest.mark.usefixtures("pager")
def test_it_has_a_section_a_cap_and_a_place_in_every_list() -> None:
    config = config_model().model_validate({"pager": {"per_minute": 5}, "caps": {}})
    assert config.channel("pager").per_minute == 5
    assert (Channel("pager"), 1, DAY) in {(c.channel, c.max, c.per) for c in build_caps(config)}
    assert set(known_channels()) == {*HOUSE, "pager"}
    for wrong in ({"pager": {"beep": 1}}, {"budgets": [{"channel": "fax", "per_month": 1}]}):
        with pytest.raises(ValueError, match=r"beep|channel"):
            config_model().model_validate(wrong)
    assert "| `pager_gateway` | pager |" in describe_channels()
    assert "arrives once within 1 hour" in describe_channels()


@pytest.mark.usefixtures("pager")
def test_the_reference_pages_show_it() -> None:
    texts = {page.path: page.render(_source(page.source)) for page in PAGES if "conf" in page.path}
    assert "## `[pager]`" in texts["docs/reference/configuration.md"]
    assert parse_journey(BOTH).sends[0].channel == "pager"


def _source(name: str) -> Any:
    from importlib import import_module

    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


def test_without_it_the_word_is_unknown(install: Install) -> None:
    assert set(discover()) == HOUSE
    with pytest.raises(JourneyError, match="unknown word 'pager'"):
        parse_journey(BOTH)


def test_what_brings_no_channel_is_refused(install: Install) -> None:
    install({**files_of("channel.md"), "shop_pager/__init__.py": "CHANNEL = 3"})
    with pytest.raises(ConfigError, match=r"shop_pager:CHANNEL is no ChannelFolder"):
        discover()


def test_a_new_workspace_names_its_cap(pager: None, tmp_path: Path) -> None:
    create_workspace(tmp_path, Scaffold("Shop", "GBP", "UTC"))
    assert 'pager = {max = 1, per = "1 day"}' in (tmp_path / "rekindle.toml").read_text()


def test_it_goes_through_plan_gate_outbox_dispatch_and_report(shop: Shop) -> None:
    assert build_plan(shop.space, shop.space.journey("both"), NOW).people == 1
    shop.start()
    (page,) = shop.pages()
    assert page["to"] == PHONE.replace(" ", "") or page["to"] == PHONE
    (message,) = shop.space.history.messages_of("both")
    assert (message.channel, message.state) == (Channel("pager"), MessageState.ACCEPTED)
    shop.tick(2 * DAY)
    assert shop.mails() == 1
    report = report_journey(shop.space, "both")
    assert report.cost.amount == Decimal("0.021")
    assert len(shop.pages()) == 1


@pytest.mark.long
def test_a_bounce_of_its_address_suppresses_that_address_on_that_channel(shop: Shop) -> None:
    shop.start()
    (page,) = shop.pages()
    told = {"became": "bounced", "page": f"page-{page['key'][:12]}", "to": page["to"]}
    assert shop.report(signed_with="another key", **told)[0] == "403"
    assert shop.report(**{**told, "became": "eaten"})[0] == "400"
    why = f"no pager at {page['to']} any more"
    assert shop.report(**told, why=why) == ("200", {"success": True, "new": 1})
    assert shop.report(**told, why=why) == ("200", {"success": True, "new": 0})
    shop.tick(2 * DAY)
    assert shop.mails() == 1
    shop.tick(2 * DAY)
    assert len(shop.pages()) == 1
    found = explain_customer(shop.space, "ann", shop.clock.now())
    (suppression,) = found.suppressions
    assert (suppression.channel, suppression.purpose) == (Channel("pager"), None)
    assert [one.reason for one in found.decisions if one.step == "new-arrivals"] == [
        Reason.SUPPRESSED
    ]
    (kept,) = models.Delivery.objects.using(shop.space.ledger)
    assert kept.reason == "no pager at … any more"


@pytest.mark.long
def test_a_bounce_that_may_pass_changes_nothing(shop: Shop) -> None:
    shop.start()
    (page,) = shop.pages()
    assert shop.report(became="bounced", to=page["to"], final=False)[0] == "200"
    assert explain_customer(shop.space, "ann", shop.clock.now()).suppressions == []


@pytest.mark.long
def test_an_unsubscribe_from_it_leaves_the_mails(shop: Shop) -> None:
    shop.start()
    (page,) = shop.pages()
    shop.report(became="unsubscribed", to=page["to"])
    (enrolment,) = shop.space.history.enrolments_of("both")
    assert enrolment.ended_reason is Reason.OPT_OUT
    entries = explain_customer(shop.space, "ann", shop.clock.now()).suppressions
    assert {(one.channel, one.purpose) for one in entries} == {("pager", Purpose.MARKETING)}


@pytest.mark.long
def test_a_report_settles_a_message_of_unknown_fate(shop: Shop) -> None:
    shop.start()
    (page,) = shop.pages()
    touches = models.Touch.objects.using(shop.space.ledger)
    touches.update(state=MessageState.UNKNOWN, accepted_at=None)
    shop.report(became="delivered", to=page["to"], page=f"page-{page['key'][:12]}")
    assert touches.get().state == MessageState.ACCEPTED


@pytest.mark.long
def test_a_lost_page_is_sent_again_within_the_hour_and_not_after(shop: Shop) -> None:
    shop.start()
    touches = models.Touch.objects.using(shop.space.ledger)
    lost = {"state": MessageState.SENDING, "accepted_at": None, "leased_by": "lost"}
    touches.update(**lost, lease_until=NOW)
    shop.tick(30 * MINUTE)
    assert [page["key"] for page in shop.pages()] == [shop.pages()[0]["key"]] * 2
    touches.update(**lost, lease_until=NOW, not_before=NOW)
    shop.tick(HOUR)
    assert touches.get().state == MessageState.UNKNOWN
    assert len(shop.pages()) == 2


@pytest.mark.long
def test_a_channel_that_is_gone_reaches_nobody_and_holds_nobody_up(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.start()
    touches = models.Touch.objects.using(shop.space.ledger)
    touches.update(state=MessageState.QUEUED, accepted_at=None)
    monkeypatch.setattr(sys, "path", [one for one in sys.path if Path(one).name != "site"])
    assert set(discover()) == HOUSE
    gone = Workspace(shop.folder, shop.space.config, shop.clock)
    worker = Worker(gone)
    shop.clock.move(2 * DAY)
    worker.tick()
    assert shop.mails() == 1
    shop.clock.move(2 * DAY)
    worker.tick()
    reasons = {one.step: one.reason for one in gone.history.decisions_of("ann")}
    assert reasons["new-arrivals"] is Reason.UNREACHABLE
    assert touches.get(step="check-in").reason == Reason.STALE


@pytest.mark.long
def test_an_outlet_that_cannot_be_built_holds_no_other_up(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Any, settings: Any, *, base: Path, secrets: Mapping[str, str]) -> None:
        raise ZeroDivisionError("the gateway's module is broken")

    monkeypatch.setattr(discover()["pager"].outlets[0].build, "__init__", broken)
    start_journey(shop.space, shop.space.journey("both"), NOW)
    assert "ZeroDivisionError" in shop.tick().sent.trouble
    touches = models.Touch.objects.using(shop.space.ledger)
    assert touches.get().state == MessageState.QUEUED
    monkeypatch.undo()
