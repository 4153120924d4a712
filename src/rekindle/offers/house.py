"""What holds for all offers of a workspace, as ``rekindle.toml`` says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rekindle.config import Config
from rekindle.offers.expecting import Redemptions, expect_share
from rekindle.offers.model import HouseOffers, Offers


def build_house_offers(config: Config, offers: Offers) -> HouseOffers:
    """Return the rules of the house for offers, as long as nothing was learned."""
    settings = config.offers
    house = HouseOffers(
        offers=offers,
        margin=settings.margin,
        floor=settings.floor,
        wait=settings.wait,
        basket=settings.basket,
        expect=settings.expect,
        explore=settings.explore,
        currency=config.workspace.currency,
    )
    return learn_shares(house, {})


def learn_shares(house: HouseOffers, became: Mapping[str, Redemptions]) -> HouseOffers:
    """Return the rules with the shares expected after what became of the offers given."""
    none = Redemptions()
    rates = {
        name: expect_share(
            house.expect if terms.expect is None else terms.expect, became.get(name, none)
        )
        for name, terms in house.offers.terms.items()
    }
    return replace(house, rates=rates)
