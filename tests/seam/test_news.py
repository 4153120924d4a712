"""What the ledger was told of a person is not told again until there is something new."""

from __future__ import annotations

import pytest

from rekindle.consent import ConsentRecord
from rekindle.identity import JoinReason, Link
from rekindle.journeys import Person
from rekindle.journeys.population import save_people
from rekindle.ledger import LedgerBook, models
from rekindle.vocabulary import Channel
from tests.seam.corner import HOUR, MINUTE, Corner


def told(shop: Corner) -> int:
    """Carry what is new into the ledger, and return of how many people that was."""
    shop.space.forget_facts()
    return save_people(*shop.space.reading, shop.space.book, shop.now)


def imported(shop: Corner, **said: str) -> None:
    shop.clock.move(MINUTE)
    shop.people(**said)
    shop.import_facts()


@pytest.fixture
def known(corner: Corner) -> Corner:
    """A shop whose three customers are in the ledger already."""
    corner.orders(("o1", "ann", corner.ago(days=200), 50, ""))
    imported(corner, ann="yes,", bea=",", cem="no,")
    assert told(corner) == 3
    return corner


def test_only_who_changed_is_told_of(known: Corner) -> None:
    assert told(known) == 0
    imported(known, ann="yes,", bea="yes,", cem="no,", dan=",")
    assert told(known) == 2
    assert told(known) == 0
    card = known.space.history.person("dan")
    assert card is not None
    assert card.address == "dan@example.com"
    assert [one.granted for one in known.space.history.consents_of("bea")] == [True]


@pytest.mark.long
def test_what_a_killed_pass_did_not_write_is_told_again(
    known: Corner, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(known, ann="no,", bea=",", cem="no,")

    def die(book: LedgerBook, records: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LedgerBook, "save_consent", die)
        with pytest.raises(KeyboardInterrupt):
            told(known)
    assert told(known) == 1
    assert [one.granted for one in known.space.history.consents_of("ann")] == [True, False]


@pytest.mark.long
def test_who_becomes_another_or_themselves_again_is_told_of(known: Corner) -> None:
    persons = known.space.book.persons
    persons.join([Link("bea", "ann", JoinReason.BY_HAND, "")], known.now, by="test")
    assert told(known) == 1
    assert told(known) == 0
    persons.part(["bea"], known.now, by="test")
    assert told(known) == 2
    card = known.space.history.person("bea")
    assert card is not None
    assert card.address == "bea@example.com"


@pytest.mark.long
def test_every_address_of_who_has_several_cards_is_bound_by_their_no(corner: Corner) -> None:
    """Whoever was two ids before any card was in the ledger has one card and two addresses."""
    space = corner.space
    corner.orders(("o1", "ann", corner.ago(days=200), 50, ""))
    space.book.persons.join([Link("bea", "ann", JoinReason.BY_HAND, "")], corner.now, by="test")
    imported(corner, ann="yes,", bea=",")
    assert told(corner) == 1
    space.book.suppress("ann", Channel("email"), reason="asked", at=corner.now)
    bound = models.Suppression.objects.using(space.ledger).values_list("address_hash", flat=True)
    cards = [Person("again", f"{who}@example.com") for who in ("ann", "bea")]
    for card in cards:
        space.book.save_people([card])
        held = models.Person.objects.using(space.ledger).get(pk="again")
        assert held.address_hash in bound


@pytest.mark.long
def test_nothing_is_kept_or_told_of_who_was_erased(known: Corner) -> None:
    known.space.book.erase("ann", known.now)
    assert known.space.book.told()["ann"] == ""
    imported(known, ann="no,", bea=",", cem="no,")
    assert told(known) == 0
    assert known.space.book.told()["ann"] == ""


@pytest.mark.long
def test_another_secret_tells_everybody_again(known: Corner) -> None:
    space = known.space
    other = LedgerBook(space.ledger, secret=b"another", terms=space.terms)
    assert save_people(*space.reading, other, known.now) == 3


@pytest.mark.long
def test_a_no_of_an_import_that_runs_ahead_is_said_once(known: Corner) -> None:
    space, imported_at = known.space, known.now
    records = models.Consent.objects.using(space.ledger).filter(person="cem")
    records.delete()
    for earlier in (3, 2, 1, 0):  # passes by a clock that is behind, until it is not
        at = imported_at - earlier * HOUR
        space.book.note_told({"cem": "something else"})
        save_people(*space.reading, space.book, at)
        if earlier == 2:
            yes = ConsentRecord("cem", Channel("email"), True, at + MINUTE, "api:web")
            space.book.save_consent([yes])
    assert list(records.order_by("at").values_list("granted", "at")) == [
        (False, imported_at - 3 * HOUR),
        (True, imported_at - 2 * HOUR + MINUTE),
    ]
    imported(known, ann="yes,", bea=",", cem="yes,")
    told(known)
    imported(known, ann="yes,", bea=",", cem="no,")
    told(known)
    assert [one for one, _ in records.order_by("at").values_list("granted", "at")][-1] is False
