"""How the offers of a workspace stand: their codes, what is open, what their budgets hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rekindle.errors import OfferError
from rekindle.ledger import OfferTally, Pool, count_codes, load_codes, tally_offers
from rekindle.offers import Codes, OfferTerms, expect_share
from rekindle.runtime import Workspace
from rekindle.vocabulary import Money


@dataclass(frozen=True, slots=True)
class OfferStanding:
    """One offer: its terms, and how it stands. ``pool`` None where it has no own codes."""

    name: str
    terms: OfferTerms
    words: str
    pool: Pool | None
    tally: OfferTally
    reserved: Money
    expected_share: float


def load_standing(workspace: Workspace, at: datetime) -> list[OfferStanding]:
    """Return every offer of ``offers.yaml`` as it stands, in order of name."""
    offers, currency = workspace.offers.require_sound(), workspace.config.workspace.currency
    pools = count_codes(workspace.ledger, offers)
    tallies = tally_offers(workspace.ledger, at)
    found = []
    for name, terms in sorted(offers.terms.items()):
        tally = tallies.get(name, OfferTally())
        prior = workspace.config.offers.expect if terms.expect is None else terms.expect
        found.append(
            OfferStanding(
                name,
                terms,
                terms.describe(currency),
                pools.get(name, Pool()) if terms.codes is Codes.OWN else None,
                tally,
                Money.from_micros(tally.reserved_micros, currency),
                expect_share(prior, tally.became),
            )
        )
    return found


def load_forgotten(workspace: Workspace, at: datetime) -> dict[str, OfferTally]:
    """Return what was given of offers that ``offers.yaml`` does not have any more, by name."""
    known, tallies = workspace.offers.require_sound().terms, tally_offers(workspace.ledger, at)
    return {n: one for n, one in sorted(tallies.items()) if n not in known}


def find_offer(workspace: Workspace, name: str) -> OfferTerms:
    """Return the terms of an offer.

    Raises:
        OfferError: ``offers.yaml`` has none of this name.
    """
    known = workspace.offers.require_sound().terms
    if name not in known:
        told = f"offers.yaml has no offer {name!r}; it has {', '.join(sorted(known)) or 'none'}"
        raise OfferError(told)
    return known[name]


def require_loaded_codes(workspace: Workspace, name: str) -> None:
    """Refuse an offer whose pool nobody fills by hand.

    Raises:
        OfferError: there is no such offer, it has no codes of its own, or a shop makes them.
    """
    terms = find_offer(workspace, name)
    if terms.codes is not Codes.OWN:
        raise OfferError(f"the offer {name} gives nobody a code of their own; write codes: own")
    if terms.made_at is not None:
        raise OfferError(
            f"the codes of {name} are made at {terms.made_at}, as they are needed, and others are "
            "not given; to load them, take `made_at` off the offer"
        )


def add_codes(workspace: Workspace, name: str, codes: Sequence[str]) -> int:
    """Add codes to the pool of an offer; return how many.

    Raises:
        OfferError: as ``require_loaded_codes``, or one was loaded before.
    """
    require_loaded_codes(workspace, name)
    return load_codes(workspace.ledger, name, codes, workspace.clock.now())
