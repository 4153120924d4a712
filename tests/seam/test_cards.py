"""What a person says of themselves stands until a file has something new to say."""

from __future__ import annotations

import pytest

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
