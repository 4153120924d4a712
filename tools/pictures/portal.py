"""The pages of the portal in pictures, as Ada sees them who follows the links in her messages."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import waitress

from rekindle.consent import (
    LinkPurpose,
    PersonLink,
    sign_link,
    sign_preferences,
    sign_unsubscribe,
)
from rekindle.desk import start_journey
from rekindle.runtime import Workspace
from rekindle.testing.biller import BillerWorld
from rekindle.web.portal import build_portal
from rekindle.worker import Worker
from tools.pictures.camera import PHONE, Photo, View
from tools.pictures.shop import ADA, NOW

MONTH = timedelta(days=32)  # longer than any, so that the next payment is due
JOURNEY = """\
journey: autumn
topic: news
enter: {audience: customer_id = 'u001'}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send: {channel: email, template: phase-offer, offer: autumn}
"""
OFFER = (
    "  autumn: {kind: percent_off, percent: 15, codes: shared, code: AUTUMN15, lasts: 14 days}\n"
)


@contextmanager
def open_portal(shop: Workspace) -> Iterator[str]:
    """Yield the address under which the portal of a shop is served."""
    server = waitress.create_server(build_portal(shop), host="127.0.0.1", port=0, threads=1)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()
        thread.join()


def portal_photos(shop: Workspace, world: BillerWorld, site: str) -> Iterator[Photo]:
    """Yield the pictures of the portal; what one does, the next ones see."""
    back = f"{site}{_send_way_back(shop)}"  # first of all, for nobody knows Ada before a pass
    preferences = f"{site}/p/{sign_preferences(shop.secret, ADA, NOW)}"
    yield Photo(
        "preferences",
        (View(preferences), _by_night(preferences)),
    )
    pressed = ("60 days of quiet",)
    snoozed = View(preferences, PHONE, presses=pressed, part=("Not now", "No marketing at all"))
    also = _by_night(preferences, part=("Nicht jetzt", "Gar keine Werbung"))
    yield Photo("snooze", (snoozed, also))
    yield Photo("way-back", (View(back, PHONE), _by_night(back)))
    ended, owing = _subscribe(shop, world, site)
    yield Photo(
        "welcome-back",
        (
            View(ended, PHONE),
            _by_night(ended),
            View(ended, PHONE, presses=("Start again for £12.00",)),
        ),
    )
    yield Photo("card-update", (View(owing, PHONE), _by_night(owing)))
    leave = f"{site}/u/{sign_unsubscribe(shop.secret, ADA, 'marlow.example', channel='email')}"
    yield Photo(
        "unsubscribe",
        (
            View(leave, PHONE),
            View(leave, PHONE, presses=("Unsubscribe",)),
            _by_night(leave, presses=("Abmelden", "Zu viele Nachrichten")),
        ),
    )


def _by_night(
    url: str, *, presses: Sequence[str] = (), part: tuple[str, str] | None = None
) -> View:
    """Return a page on a dark phone whose owner reads German."""
    return View(url, PHONE, is_dark=True, language="de-DE", presses=presses, part=part)


def _send_way_back(shop: Workspace) -> str:
    """Write to Ada and return the path of the way back that her message shows."""
    folder = shop.directory
    (folder / "journeys" / "autumn.yaml").write_text(JOURNEY, encoding="utf-8")
    offers = folder / "offers.yaml"
    text = offers.read_text("utf-8").replace("offers:\n", f"offers:\n{OFFER}", 1)
    offers.write_text(text, encoding="utf-8")
    space = Workspace.open(folder, clock=shop.clock)
    start_journey(space, space.journey("autumn"), NOW)
    Worker(space).tick()
    space.forget_facts()
    (mail,) = (folder / "state" / "outbox").glob("*.eml")
    found = re.search(r"/return/[A-Za-z0-9_.-]+", mail.read_text("utf-8").replace("=\n", ""))
    assert found is not None
    return found[0]


def _subscribe(shop: Workspace, world: BillerWorld, site: str) -> tuple[str, str]:
    """Return the pages of two subscriptions of Ada's: one that ended, and one that owes."""
    price = world.add_plan("Style club", amount=1200, currency="gbp")["id"]
    links = []
    for does in ("pays", "insufficient_funds"):
        customer = world.add_customer()["id"]
        world.add_card(customer)
        subscription = world.subscribe(customer, price)["id"]
        if does == "pays":
            world.end(subscription)
        else:
            world.add_card(customer, does)
            world.advance(MONTH)
        link = PersonLink(ADA, NOW + 2 * MONTH, f"{subscription} message")
        links.append(f"{site}/s/{sign_link(shop.secret, LinkPurpose.SUBSCRIPTION, link)}")
    return links[0], links[1]
