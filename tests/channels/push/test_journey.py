"""A browser that subscribed is pushed to, through the API, the gate and the outbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from rekindle.clock import MovableClock
from rekindle.config import SourceSettings
from rekindle.desk import Scaffold, create_workspace, explain_customer, start_journey
from rekindle.intake import read_event
from rekindle.ledger import Inbox, disconnect, models, ready_events
from rekindle.runtime import Workspace
from rekindle.vocabulary import Reason
from rekindle.worker import Worker
from tests.channels.push.pushing import Browser, new_vapid_key
from tests.runtime.shops import NOW, add_section, set_key
from tests.servers.recording import Answer, RecordingServer

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
JOURNEY = """\
journey: back
enter: {audience: orders_count >= 1}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send: {channel: push, template: nudge}
  - wait: 3 days
  - send: {channel: push, template: nudge}
"""
SECTION = """\
[push]
outlet = "push_web"
[push.web]
contact = "mailto:push@shop.example"
services = ["127.0.0.1"]
"""


class Shop:
    """A shop of one customer, and a push service."""

    def __init__(self, folder: Path, server: RecordingServer) -> None:
        server.answer("/push", Answer(201))
        self.server, self.clock = server, MovableClock(NOW)
        _build(folder)
        self.space = Workspace.open(folder, clock=self.clock)
        self.space.import_facts()
        self.worker = Worker(self.space)

    def subscribe(self, browser: Browser) -> None:
        """Let the shop's server say that ann allowed pushes in a browser."""
        at = self.clock.now()
        traits = {"pushSubscription": browser.subscription, "consent": {"push": True}}
        call = {"type": "identify", "userId": "ann", "traits": traits}
        event = read_event(call, received_at=at)
        assert event.card is not None
        assert event.card.notes == ()
        Inbox(self.space.ledger, self.space.book).take(
            "shop", ready_events(self.space.ledger, [event]), at
        )
        # The service of the tests speaks no TLS, which the API asks for.
        rows = models.Address.objects.using(self.space.ledger)
        for row in rows.exclude(value=""):
            rows.filter(pk=row.pk).update(value=row.value.replace("https:", "http:"))
        self.clock.move(MINUTE)

    def start(self) -> None:
        start_journey(self.space, self.space.journey("back"), self.clock.now())
        self.worker.tick()

    def fates(self) -> list[tuple[str, str | None]]:
        rows = models.Touch.objects.using(self.space.ledger).order_by("id")
        return list(rows.values_list("state", "reason"))


def _build(folder: Path) -> None:
    folder.mkdir()
    then = (NOW - 200 * DAY).isoformat()
    text = f"order_id,customer_id,ordered_at,gross\no1,ann,{then},50\n"
    (folder / "orders.csv").write_text(text, encoding="utf-8")
    columns = {column: column for column in text.partition("\n")[0].split(",")}
    source = SourceSettings(name="orders", table="orders", path="orders.csv", columns=columns)
    create_workspace(folder, Scaffold("Shop", "GBP", "Europe/London", (source,)))
    set_key(folder, "postal_address", '"1 High Street"')
    add_section(folder, SECTION)
    (folder / "journeys" / "back.yaml").write_text(JOURNEY, encoding="utf-8")
    note = "---\ntitle: Your size is back\nurl: https://shop.example/a\n---\nHave a look.\n"
    (folder / "templates" / "nudge.push.txt").write_text(note, encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("REKINDLE_VAPID_KEY", new_vapid_key())
    with RecordingServer() as server:
        shop = Shop(tmp_path / "shop", server)
        yield shop
        disconnect(shop.space.ledger)


def browser_at(shop: Shop, path: str) -> Browser:
    return Browser(f"{shop.server.url}{path}".replace("http:", "https:"))


@pytest.mark.long
def test_the_newest_browser_shows_it_until_the_night(shop: Shop) -> None:
    old, new = browser_at(shop, "/push/old"), browser_at(shop, "/push/new")
    shop.subscribe(old)
    shop.subscribe(new)
    shop.start()
    (request,) = shop.server.requests
    said = new.read(request.body)
    assert (said["title"], said["body"]) == ("Your size is back", "Have a look.")
    night = datetime.fromisoformat("2024-09-02T21:00+01:00")
    since_written = night - shop.clock.now() - MINUTE
    assert request.headers["ttl"] == str(int(since_written.total_seconds()))
    assert shop.fates() == [("accepted", None)]


@pytest.mark.long
def test_a_browser_that_is_gone_is_retired_and_the_other_one_shows_it(shop: Shop) -> None:
    shop.server.answer("/push/new", Answer(410))
    shop.subscribe(old := browser_at(shop, "/push/old"))
    shop.subscribe(browser_at(shop, "/push/new"))
    shop.start()
    assert [one.path for one in shop.server.requests] == ["/push/new", "/push/old"]
    assert old.read(shop.server.requests[1].body)["title"] == "Your size is back"
    assert shop.fates() == [("accepted", None)]
    gone = models.Address.objects.using(shop.space.ledger).exclude(retired_at=None).get()
    assert (gone.value, "410" in gone.reason) == ("", True)


@pytest.mark.long
def test_who_has_no_browser_left_is_unreachable_and_goes_on(shop: Shop) -> None:
    shop.server.answer("/push", Answer(404))
    shop.subscribe(browser_at(shop, "/push/only"))
    shop.start()
    assert shop.fates() == [("cancelled", "unreachable")]
    shop.clock.move(4 * DAY)
    shop.worker.tick()
    assert len(shop.server.requests) == 1
    found = explain_customer(shop.space, "ann", shop.clock.now())
    assert found.suppressions == []
    (entry,) = shop.space.history.enrolments_of("back")
    assert entry.ended_reason is Reason.FINISHED


def test_a_card_names_no_address_of_our_own_network(shop: Shop) -> None:
    shop.subscribe(Browser("https://127.0.0.2/latest/meta-data"))
    shop.start()
    assert shop.server.requests == []
    assert shop.fates() == [("cancelled", "unreachable")]
    row = models.Touch.objects.using(shop.space.ledger).get()
    assert "push.web.services does not name" in row.last_error
    assert json.loads(models.Address.objects.using(shop.space.ledger).get().value)
