"""What a person says of themselves stands until a file has something new to say."""

from __future__ import annotations

import pytest

from rekindle.desk import erase_person
from rekindle.journeys import Person
from tests.seam.corner import DAY, MINUTE, Corner


def card(shop: Corner) -> Person:
    """Import the files as they stand, let a pass see them, and return ann's card."""
    shop.clock.move(MINUTE)
    shop.import_facts()
    shop.tick()
    found = shop.space.history.person("ann")
    assert found is not None
    return found


@pytest.mark.long
def test_a_file_does_not_take_back_what_a_person_said(corner: Corner) -> None:
    corner.orders(("o1", "ann", corner.ago(days=200), 50, ""))
    assert card(corner).address == "ann@example.com"
    traits = {"email": "new@example.org", "firstName": "Ann", "address": {"country": "Österreich"}}
    corner.report("", "identify", traits=traits)
    for _ in range(3):  # what was said reaches the facts, and the same file comes again
        said = card(corner)
        assert (said.address, said.country) == ("new@example.org", "AT")
        assert said.properties == {"first_name": "Ann"}
    path = corner.space.directory / "people.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("ann@example.com", "third@example.com"), encoding="utf-8")
    assert card(corner).address == "third@example.com"
    path.write_text(text, encoding="utf-8")
    assert card(corner).address == "ann@example.com"


def test_what_was_said_earlier_does_not_replace_what_was_said_later(corner: Corner) -> None:
    corner.orders(("o1", "ann", corner.ago(days=200), 50, ""))
    card(corner)
    corner.report("", "identify", traits={"email": "new@example.org"})
    yesterday = (corner.now - DAY).isoformat()
    corner.report("", "identify", timestamp=yesterday, traits={"email": "older@example.org"})
    assert card(corner).address == "new@example.org"


@pytest.mark.long
def test_what_was_said_earlier_and_comes_after_an_import_is_not_newer(corner: Corner) -> None:
    corner.orders(("o1", "ann", corner.ago(days=200), 50, ""))
    corner.report("", "identify", traits={"email": "new@example.org", "firstName": "Ann"})
    assert card(corner).address == "new@example.org"
    late = {"email": "old@example.org", "phone": "+447911123456", "firstName": "Annie"}
    corner.report("", "identify", timestamp=(corner.now - DAY).isoformat(), traits=late)
    assert (card(corner).address, card(corner).phone) == ("new@example.org", late["phone"])
    assert held(corner, "email", "phone", "first_name") == (
        "new@example.org", late["phone"], "Ann"
    )  # fmt: skip


def held(shop: Corner, *names: str) -> tuple[object, ...]:
    """Return cells of ann's card as the facts have it."""
    customers = shop.space.facts.customers
    (row,) = shop.space.engine.run(customers.filter(customers.customer_id == "ann")).to_pylist()
    return tuple(row[name] for name in names)


def brought(shop: Corner) -> int:
    """Import everything a minute later; return how many rows that changed."""
    shop.clock.move(MINUTE)
    return sum(one.added + one.changed for one in shop.import_facts())


def test_the_facts_keep_what_was_said_column_by_column(corner: Corner) -> None:
    corner.orders(("o1", "ann", corner.ago(days=200), 50, ""))
    brought(corner)
    traits = {"email": "new@example.org", "firstName": "Ann", "address": {"country": "AT"}}
    corner.report("", "identify", traits=traits)
    brought(corner)
    told = ("email", "first_name", "country")
    for _ in range(2):
        brought(corner)
        assert held(corner, *told) == ("new@example.org", "Ann", "AT")
    assert brought(corner) == 0
    # Another cell of the file says something else: that one counts, and no other.
    path = corner.space.directory / "people.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("ann@example.com", "third@example.com"), encoding="utf-8")
    for _ in range(2):
        brought(corner)
        assert held(corner, *told) == ("third@example.com", "Ann", "AT")
    corner.report("", "identify", traits={"email": "fourth@example.org"})
    for _ in range(2):
        brought(corner)
        assert held(corner, *told) == ("fourth@example.org", "Ann", "AT")


@pytest.mark.long
def test_orders_go_on_telling_what_was_never_said(corner: Corner) -> None:
    toml = corner.space.directory / "rekindle.toml"
    text = toml.read_text(encoding="utf-8")
    crm = text.index('[[sources]]\nname = "crm"')
    text = text[:crm] + text[text.index("[quiet_hours]") :]
    toml.write_text(text.replace('status = "state"', 'email = "state"'), encoding="utf-8")
    shop = corner.reopened()
    first = ("o1", "ann", shop.ago(days=200), 50)
    shop.orders((*first, "ann@example.com"))
    brought(shop)
    shop.report("", "identify", traits={"firstName": "Ann"})
    brought(shop)
    assert held(shop, "email", "first_name") == ("ann@example.com", "Ann")
    shop.orders((*first, "newer@example.com"))
    brought(shop)
    assert held(shop, "email", "first_name") == ("newer@example.com", "Ann")
    shop.report("", "identify", traits={"email": "said@example.org"})
    brought(shop)
    assert brought(shop) + brought(shop) <= 1
    assert held(shop, "email", "first_name") == ("said@example.org", "Ann")


@pytest.mark.long
def test_of_the_erased_nothing_is_kept_that_a_file_said(corner: Corner) -> None:
    corner.orders(("o1", "ann", corner.ago(days=200), 50, ""))
    brought(corner)
    corner.report("", "identify", traits={"email": "new@example.org"})
    brought(corner)
    kept = (corner.space.facts.bookkeeping or {})["overridden_cards"]
    assert corner.space.engine.run(kept).num_rows == 1
    erase_person(corner.space, "ann", who="team")
    brought(corner)
    kept = (corner.space.facts.bookkeeping or {})["overridden_cards"]
    assert corner.space.engine.run(kept).num_rows == 0
