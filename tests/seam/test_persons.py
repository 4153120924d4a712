"""Who is one person to the facts is one to the ledger, whatever was known first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rekindle.consent import Exclusion
from rekindle.desk import (
    PreferenceChange,
    change_preferences,
    erase_person,
    exclude_person,
    explain_customer,
    report_journey,
)
from rekindle.facts import import_sources, load_testimony
from rekindle.identity import JoinReason
from rekindle.intake import as_visitor, read_event
from rekindle.ledger import Inbox, ready_events
from rekindle.runtime import Workspace
from rekindle.vocabulary import Reason
from tests.seam.corner import DAY, HOUR, MINUTE, Corner

ANN, OTHER = "ann@example.com", "other@example.com"


def cards(shop: Corner, **addresses: str) -> None:
    """Export customers who agreed long ago: id and address."""
    at = shop.ago(days=300).isoformat()
    lines = [f"{who},{address},,yes,{at}" for who, address in addresses.items()]
    shop._write("people.csv", "who,email,since,ok,ok_at", lines)


def bought(shop: Corner, *ids: str) -> None:
    at = shop.ago(days=200).replace(hour=0, minute=0, second=0, microsecond=0)
    shop.orders(*((f"o-{who}", who, at, 50, "completed") for who in ids))


def addressees(shop: Corner) -> list[str]:
    folder = shop.space.directory / "state" / "outbox"
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.eml")]
    return sorted(line for text in texts for line in text.splitlines() if line.startswith("To:"))


@pytest.fixture
def two(corner: Corner) -> Corner:
    """A shop in which ann and her second id share an address, and she entered."""
    bought(corner, "ann", "bea")
    cards(corner, ann=ANN, bea=ANN)
    corner.import_facts()
    corner.start()
    corner.clock.move(MINUTE)
    return corner


@pytest.mark.long
def test_a_smaller_id_that_turns_up_later_gets_nothing_twice(corner: Corner) -> None:
    bought(corner, "ann")
    cards(corner, ann=ANN)
    corner.import_facts()
    corner.start()
    corner.tick(after=3 * HOUR)
    bought(corner, "ann", "aaa")
    cards(corner, ann=ANN, aaa=ANN.upper())
    corner.import_facts()
    corner.tick(after=9 * DAY)
    corner.tick(after=9 * DAY)
    assert corner.mails() == 1
    assert {one.person for one in corner.enrolments()} == {"ann"}


@pytest.mark.long
def test_evidence_that_comes_while_older_is_read_is_looked_at(
    corner: Corner, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought(corner, "ann")
    cards(corner, ann=ANN)
    corner.import_facts()
    cards(corner, ann=ANN, cem=OTHER)

    def read_meanwhile(*asked: Any, **more: Any) -> Any:
        monkeypatch.undo()
        found = load_testimony(*asked, **more)
        cards(corner, ann=ANN, cem=OTHER, bea=ANN)
        import_sources(corner.space.config, corner.space.directory, now=corner.now + MINUTE)
        return found

    monkeypatch.setattr("rekindle.ledger.book.persons.settling.load_testimony", read_meanwhile)
    corner.import_facts()
    corner.import_facts()  # of what has not changed since
    assert corner.space.book.persons.known() == {"bea": "ann"}


def test_an_opt_out_under_the_other_id_stops_the_person(two: Corner) -> None:
    two.report("Unsubscribed", userId="bea")
    assert two.ended() == [Reason.OPT_OUT]
    two.tick(after=3 * HOUR)
    assert two.mails() == 0
    for handle in ("ann", "bea", ANN):
        found = explain_customer(two.space, handle, two.now)
        assert (found.person, found.permission.is_granted) == ("ann", False)


@pytest.mark.long
def test_a_purchase_under_the_other_id_ends_it_at_once(two: Corner) -> None:
    two.report("Order Completed", userId="bea", properties={"order_id": "x", "revenue": 5})
    assert two.ended() == [Reason.ORDER]


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize("way", ["exclude", "snooze", "erase"])
@pytest.mark.parametrize("handle", ["bea", OTHER])
def test_a_wish_under_an_id_that_became_anns_is_anns(corner: Corner, way: str, handle: str) -> None:
    bought(corner, "ann", "bea")
    cards(corner, ann=ANN, bea=OTHER)
    corner.import_facts()
    corner.start("customer_id = 'ann'")
    cards(corner, ann=ANN, bea=ANN)
    corner.import_facts()
    space = corner.space
    if way == "exclude":
        exclude_person(space, handle, Exclusion.BAD_ACTOR, who="test")
    elif way == "snooze":
        change_preferences(space, handle, PreferenceChange(snooze=timedelta(days=30)), who="test")
    else:
        erase_person(space, handle, who="test")
    corner.tick(after=3 * HOUR)
    assert corner.mails() == 0


@pytest.mark.long
def test_two_who_entered_go_on_as_one(corner: Corner) -> None:
    bought(corner, "ann", "bea")
    cards(corner, ann=ANN, bea=OTHER)
    corner.import_facts()
    corner.start()
    assert corner.ended() == [None, None]
    cards(corner, ann=ANN, bea=ANN)
    corner.import_facts()
    corner.tick(after=3 * HOUR)
    assert sorted(corner.ended(), key=str) == [Reason.FINISHED, Reason.JOINED]
    assert corner.mails() == 1
    report = report_journey(corner.space, "win")
    assert sum(arm.assigned for arm in report.arms.values()) == 1


@pytest.mark.long
def test_an_import_that_dies_before_the_ledger_knows_is_made_good(
    two: Corner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lake has the evidence; the next pass acts on it before it decides anything."""
    bought(two, "ann", "cleo")
    cards(two, ann=ANN, cleo=ANN)
    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "settle_persons", lambda space: ())  # as if killed before
        two.space.import_facts()
    two.tick(after=3 * HOUR)
    assert two.ended() == [Reason.FINISHED]
    assert two.mails() == 1
    assert two.space.book.persons.find(["cleo"]) == {"cleo": "ann"}


@pytest.mark.long
def test_the_facts_of_all_ids_are_the_persons(two: Corner) -> None:
    table = two.space.profiles(two.now)
    rows = two.space.engine.run(table.select("customer_id", "orders_count")).to_pylist()
    assert rows == [{"customer_id": "ann", "orders_count": 2}]


@pytest.mark.long
def test_a_split_parts_facts_and_ledger(two: Corner) -> None:
    two.space.book.persons.part(["bea"], two.now, by="ann")
    two.tick()
    table = two.space.profiles(two.now)
    rows = two.space.engine.run(table.select("customer_id")).to_pylist()
    assert {row["customer_id"] for row in rows} == {"ann", "bea"}


@pytest.mark.long
def test_addresses_in_two_spellings_are_one_mailbox(corner: Corner) -> None:
    bought(corner, "ann")
    cards(corner, ann="ann@exämple.org")
    corner.import_facts()
    corner.start()
    corner.report("Unsubscribed")
    bought(corner, "ann", "bea")
    cards(corner, ann="ann@exämple.org", bea="ann@xn--exmple-cua.org")
    corner.import_facts()
    corner.tick()
    corner.tick(after=3 * HOUR)
    assert addressees(corner) == []


@pytest.fixture
def shop(corner: Corner) -> Corner:
    """A shop that has just imported what was reported, and does so once in a quarter of an hour."""
    bought(corner, "ann")
    cards(corner, ann=ANN)
    corner.import_facts()
    corner.start()
    return corner


def identify(shop: Corner, who: str, **traits: str) -> None:
    shop.report("", "identify", userId=who, messageId=f"{who}-{shop.now}", traits=traits)


@pytest.mark.long
def test_who_identifies_by_the_address_of_somebody_is_one_with_them_before_the_next_decision(
    shop: Corner,
) -> None:
    shop.tick(after=3 * HOUR)
    assert shop.mails() == 1
    identify(shop, "bea", email=ANN.upper())
    shop.tick(after=MINUTE)
    assert shop.space.book.persons.find(["bea"]) == {"bea": "ann"}
    (join,) = shop.space.book.persons.log("ann")
    assert (join.gone, join.reason, join.by) == ("bea", JoinReason.SAME_EMAIL, "rules")


@pytest.mark.long
def test_a_telephone_number_joins_as_soon_as_an_address(shop: Corner) -> None:
    identify(shop, "bea", phone="+44 20 7946 0018")
    shop.tick(after=MINUTE)
    identify(shop, "cleo", phone="0044 20 7946 0018", country="GB")
    shop.tick(after=MINUTE)
    assert shop.space.book.persons.find(["cleo"]) == {"cleo": "bea"}


@pytest.mark.long
def test_of_a_family_with_one_mailbox_each_stays_a_person_and_one_import_was_made(
    shop: Corner,
) -> None:
    identify(shop, "ann", firstName="Ann")
    shop.tick(after=HOUR)
    identify(shop, "bob", email=ANN, firstName="Bob")
    shop.tick(after=MINUTE)
    assert shop.space.book.persons.find(["bob"]) == {"bob": "bob"}
    seen = shop.space.facts_version()
    identify(shop, "bob", email=ANN, firstName="Bob")
    shop.tick(after=MINUTE)
    assert shop.space.facts_version() == seen


@pytest.mark.long
def test_a_mailbox_of_half_the_shop_joins_nobody(shop: Corner) -> None:
    for number in range(9):
        identify(shop, f"guest-{number}", email=ANN, lastName=f"No {number}")
    shop.tick(after=MINUTE)
    assert shop.space.book.persons.known() == {}


@pytest.mark.long
def test_what_a_page_says_of_its_visitor_joins_nobody(shop: Corner) -> None:
    call = {"type": "identify", "anonymousId": "v1", "userId": "bea", "traits": {"email": ANN}}
    event, _ = as_visitor(read_event({**call, "messageId": "m"}, received_at=shop.now))
    space = shop.space
    Inbox(space.ledger, space.book).take("web", ready_events(space.ledger, [event]), shop.now)
    seen = space.facts_version()
    shop.tick(after=MINUTE)
    assert space.book.persons.known() == {}
    assert space.facts_version() == seen


@pytest.mark.long
def test_what_waits_and_joins_nobody_waits_for_its_time(shop: Corner) -> None:
    seen = shop.space.facts_version()
    identify(shop, "bea", email=OTHER)
    shop.tick(after=MINUTE)
    assert shop.space.facts_version() == seen
