"""What holds for all offers of a workspace, as ``rekindle.toml`` says it."""

from __future__ import annotations

from collections.abc import Mapping

from rekindle.config import Config
from rekindle.offers.expecting import Redemptions, expect_share
from rekindle.offers.model import HouseOffers, Offers


def build_house_offers(
    config: Config, offers: Offers, outcomes: Mapping[str, Redemptions] | None = None
) -> HouseOffers:
    """Return the rules of the house for offers; ``outcomes`` is what became of those given."""
    settings = config.offers
    rates = {}
    for name, terms in offers.terms.items():
        prior = settings.expect if terms.expect is None else terms.expect
        rates[name] = expect_share(prior, (outcomes or {}).get(name, Redemptions()))
    return HouseOffers(
        offers=offers,
        margin=settings.margin,
        floor=settings.floor,
        wait=settings.wait,
        basket=settings.basket,
        rates=rates,
        expect=settings.expect,
        currency=config.workspace.currency,
    )
