"""What the key of a page is believed: what its own visitor looked at, and little of who they are.

Anyone can read such a key. An address that it names may be anybody's, and a yes nobody's:
neither is taken, and nothing that it says of a visitor makes two ids one person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from rekindle.intake.model import Card, Event

PREFIX = "visitor:"
LONGEST_ID = 200  # as read_event takes them, and the ledger keeps them
ADDRESSES = ("email", "phone")


def as_visitor(event: Event) -> tuple[Event, Sequence[str]]:
    """Return an event as that of whoever has its anonymous id, and what was left out of its card.

    Nobody can guess what another browser goes by. Its message ids have a beginning of
    their own, so that none can take the place of one that a server is going to use.
    """
    own = replace(event, user_id=None, message_id=_visitors(event.message_id))
    if event.card is None:
        return own, ()
    card, notes = _believed(event.card)
    return replace(own, card=card), notes


def is_of_visitor(message_id: str) -> bool:
    """Return whether an event came with the key of a page, by its id."""
    return message_id.startswith(PREFIX)


def _believed(card: Card) -> tuple[Card, list[str]]:
    notes = [
        f"{name} was left out: say it on your server, in an identify call with userId"
        for name in ADDRESSES
        if getattr(card, name) is not None
    ]
    notes += [
        f"the {one.kind} address was left out: say it on your server" for one in card.addresses
    ]
    refusals = tuple(one for one in card.statements if not one.granted)
    if len(refusals) < len(card.statements):
        notes.append("a yes was left out of consent: only a no is taken from a page")
    own = replace(
        card, email=None, phone=None, email_verified=None, statements=refusals, addresses=()
    )
    return own, notes


def _visitors(message_id: str) -> str:
    if len(PREFIX) + len(message_id) > LONGEST_ID:
        message_id = sha256(message_id.encode()).hexdigest()
    return PREFIX + message_id
