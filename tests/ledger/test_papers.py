"""The look at a step and the last look at its message read one person in one way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from rekindle.config import LONGEST_DURATION
from rekindle.consent import ConsentRecord, Exclusion, Preferences
from rekindle.gate import Dossier
from rekindle.journeys import Signal
from rekindle.ledger import Outbox
from rekindle.testing.opened_books import OpenedLedgerBook
from rekindle.vocabulary import Channel, SignalKind
from tests.ledger.queueing import DAY, HOUR, START, TERMS, Queue, claim

Tell = Callable[[OpenedLedgerBook], object]
HOUSE = replace(TERMS, bad_endings=frozenset({"chargeback"}), cooling_off=10 * DAY)


def _states(*statements: tuple[bool, int], is_unsaid: bool = False) -> Tell:
    usual = ConsentRecord("alice", Channel("email"), True, START, "form", is_unsaid=is_unsaid)
    records = [
        replace(usual, granted=granted, at=START + hours * HOUR) for granted, hours in statements
    ]
    return lambda book: book.save_consent(records)


def _happens(name: str, days: int) -> Tell:
    signal = Signal("alice", SignalKind.EVENT, START - days * DAY, "1", name)
    return lambda book: book.record([signal], START)


TOLD: dict[str, tuple[Tell, dict[str, object]]] = {
    "yes and no at once": (_states((True, 0), (False, 0)), {"is_granted": False}),
    "no, then yes": (_states((False, -2), (True, -1)), {"is_granted": True}),
    "a yes that was misread": (_states((True, -48), is_unsaid=True), {"is_granted": False}),
    "a no to come": (_states((False, 2)), {"is_granted": True}),
    "wishes": (
        lambda book: book.save_preferences("alice", Preferences(START, frozenset({"a", "b"}))),
        {"preferences": Preferences(START, frozenset({"a", "b"}))},
    ),
    "a wish of five thousand years": (
        lambda book: book.save_preferences(
            "alice", Preferences(at_most_every=timedelta(days=2_000_000))
        ),
        {"preferences": Preferences(at_most_every=LONGEST_DURATION)},
    ),
    "suppression": (
        lambda book: book.suppress("alice", Channel("email"), reason="asked", at=START),
        {"is_suppressed": True},
    ),
    "bad actor": (
        lambda book: book.exclude("alice", Exclusion.BAD_ACTOR, at=START, until=None),
        {"exclusion": Exclusion.BAD_ACTOR},
    ),
    "exclusion that is over": (
        lambda book: book.exclude("alice", Exclusion.BAD_ACTOR, at=START - DAY, until=START),
        {"exclusion": None},
    ),
    "bad ending": (_happens("chargeback", 9), {"exclusion": Exclusion.COOLING_OFF}),
    "bad ending long ago": (_happens("chargeback", 10), {"exclusion": None}),
    "ending that is not bad": (_happens("parcel_lost", 1), {"exclusion": None}),
}


@pytest.mark.parametrize(("tell", "says"), list(TOLD.values()), ids=[*TOLD])
def test_both_looks_say_the_same(alias: str, tell: Tell, says: dict[str, object]) -> None:
    book, queue = OpenedLedgerBook(alias, secret=b"", terms=HOUSE), Queue(alias)
    _states((True, -48))(book)
    tell(book)
    queue.stand(queue.message(), START)
    (message,) = claim(Outbox(alias, terms=HOUSE))
    (first,) = book.due(START, 1)
    assert _said(first) == _said(message.dossier)
    assert says.items() <= _said(first).items()


def _said(dossier: Dossier) -> dict[str, object]:
    return {
        "is_granted": dossier.permission.is_granted,
        "permission": dossier.permission,
        "is_suppressed": dossier.is_suppressed,
        "preferences": dossier.preferences,
        "exclusion": dossier.exclusion,
    }
