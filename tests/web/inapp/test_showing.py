"""From a journey to what an app shows, and back: kept, asked for, withdrawn, heard."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rekindle.channels import build_outlet, find_channel, find_faults
from rekindle.channels.inapp.settings import SECRET as SECRET_NAME
from rekindle.channels.inapp.settings import InAppSettings
from rekindle.consent import ConsentRecord, Exclusion, Preferences
from rekindle.desk import LedgerCustomers, erase_person
from rekindle.errors import RefusedContentError, UsageError
from rekindle.journeys import Signal
from rekindle.ledger import disconnect, models
from rekindle.messages import Address, DeliveryKind, Message, Severity, Surroundings
from rekindle.vocabulary import Channel, SignalKind
from rekindle.worker import send_test
from tests.runtime.shops import NOW
from tests.web.inapp.asking import DAY, SECRET, Shop, build

INAPP = Channel("inapp")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inapp") / "shop"
    build(folder)
    return folder


@pytest.fixture
def shop(built: Path, tmp_path: Path) -> Iterator[Shop]:
    shutil.copytree(built, tmp_path / "shop")
    shop = Shop(tmp_path / "shop")
    yield shop
    disconnect(shop.space.ledger)


@pytest.mark.long
def test_a_message_is_shown_until_it_is_clicked_and_the_journey_hears(shop: Shop) -> None:
    found = shop.showing.ask("ann", "web")
    assert found is not None
    # A link through the portal would count the click a second time.
    assert found.parts["url"] == "https://shop.example/back"
    assert found.until == NOW + 10 * DAY
    assert shop.title("bob") is None
    assert shop.showing.tell("ann", "web", [(found.key, DeliveryKind.SHOWN)]).new == 1
    assert shop.title() == "Hello Ann"
    shop.clock.move(DAY)
    told = shop.showing.tell("ann", "web", [(found.key, DeliveryKind.CLICKED)] * 2)
    assert (told.new, told.unknown) == (1, frozenset())
    assert shop.title() is None
    (place,) = models.Place.objects.using(shop.space.ledger).all()
    assert place.due_at <= shop.clock.now()


def record(kind: SignalKind) -> Callable[[Shop], object]:
    def happen(shop: Shop) -> object:
        at = shop.clock.now()
        return shop.space.book.record([Signal("ann", kind, at, f"{kind}:1")], at)

    return happen


HIDES: dict[str, Callable[[Shop], object]] = {
    "order": record(SignalKind.ORDER),
    "opt-out": record(SignalKind.OPT_OUT),
    "complaint": record(SignalKind.COMPLAINT),
    "erased": lambda shop: erase_person(shop.space, "ann", who="bob"),
    "stopped": lambda shop: shop.space.book.stop("hello", shop.clock.now()),
    "paused": lambda shop: shop.space.book.pause("hello", shop.clock.now()),
    "suppressed": lambda shop: shop.space.book.suppress(
        "ann", INAPP, reason="test", at=shop.clock.now()
    ),
    "snoozed": lambda shop: shop.space.book.save_preferences(
        "ann", Preferences(snoozed_until=NOW + 9 * DAY)
    ),
    "excluded": lambda shop: shop.space.book.exclude(
        "ann", Exclusion.COOLING_OFF, at=shop.clock.now(), until=None
    ),
    "a no to the channel": lambda shop: shop.space.book.save_consent(
        [ConsentRecord("ann", INAPP, False, shop.clock.now(), "shop")]
    ),
    "stale": lambda shop: shop.clock.move(10 * DAY),
}


@pytest.mark.long
@pytest.mark.parametrize("what", HIDES)
def test_what_the_gate_would_hold_or_refuse_now_is_not_shown(shop: Shop, what: str) -> None:
    assert shop.title() == "Hello Ann"
    shop.clock.move(DAY)
    HIDES[what](shop)
    assert shop.title() is None


@pytest.mark.long
def test_the_preference_centre_lets_somebody_do_without(shop: Shop) -> None:
    customers = LedgerCustomers(shop.space)
    known = customers.look("ann")
    assert known is not None
    assert known.channels["inapp"] is True
    customers.choose("ann", {"inapp": False}, {}, None, {})
    assert shop.title() is None
    again = customers.look("ann")
    assert again is not None
    assert again.channels["inapp"] is False


def test_no_test_is_sent_that_nobody_would_see(shop: Shop) -> None:
    with pytest.raises(UsageError, match="no address of any channel"):
        send_test(
            shop.space, shop.space.journey("hello"), "bob", NOW, find_people=lambda address: []
        )


def test_a_message_of_somebody_else_is_unknown(shop: Shop) -> None:
    found = shop.showing.ask("ann", "web")
    assert found is not None
    for user, key in (("bob", found.key), ("ann", "0" * 64)):
        told = shop.showing.tell(user, "web", [(key, DeliveryKind.DISMISSED)])
        assert (told.new, set(told.unknown)) == (0, {key})
    assert not models.Delivery.objects.using(shop.space.ledger).exists()
    assert shop.title() == "Hello Ann"


@pytest.mark.long
def test_the_folder_keeps_nothing_to_be_asked_for(tmp_path: Path) -> None:
    build(tmp_path / "shop", outlet="inapp_folder")
    shop = Shop(tmp_path / "shop")
    (file,) = (shop.space.directory / "state" / "inapp").glob("*.json")
    said = json.loads(file.read_text(encoding="utf-8"))
    assert (said["title"], said["person"]) == ("Hello Ann", "ann")
    assert shop.title() is None
    disconnect(shop.space.ledger)


@pytest.mark.parametrize(
    ("parts", "is_taken"),
    [
        ({"title": "T", "body": "B"}, True),
        ({"title": "T", "body": "B", "url": "/back?a=1"}, True),
        ({"title": "T", "body": "B", "url": "shopapp://back"}, True),
        ({"title": "", "body": "B"}, False),
        ({"title": "T", "body": " "}, False),
        ({"title": "T", "body": "B", "url": "javascript:alert(1)"}, False),
        ({"title": "T", "body": "B", "url": "JavaScript://x%0aalert(1)"}, False),
        ({"title": "T", "body": "B", "url": "data:text/html,x"}, False),
        ({"title": "T", "body": "B", "url": "//evil.example"}, False),
    ],
)
def test_what_says_nothing_or_leads_astray_is_refused(
    parts: dict[str, str], is_taken: bool, tmp_path: Path
) -> None:
    outlet = build_outlet("inapp_kept", InAppSettings(), base=tmp_path, secrets={})
    message = Message("0" * 64, INAPP, "ann", Address("person", "ann"), parts, NOW)
    if is_taken:
        assert outlet.send(message).provider_id == message.key
    else:
        with pytest.raises(RefusedContentError):
            outlet.send(message)


@pytest.mark.parametrize(
    ("secret", "severity"),
    [("", Severity.NOTES), ("short", Severity.REFUSES), (SECRET, None)],
)
def test_a_secret_that_could_be_guessed_is_none(
    secret: str, severity: Severity | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_NAME, secret)
    settings = InAppSettings(outlet="inapp_kept")
    found = list(find_faults(find_channel("inapp"), settings, Surroundings("http://portal")))
    assert [one.severity for one in found] == ([severity] if severity else [])
