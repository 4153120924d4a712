"""Incentives: what a workspace may give, which of them a person is given, and at what cost.

``offers.yaml`` declares offers and ladders; a pure function chooses. What was given is the
ledger's.
"""

from rekindle.offers.choosing import LOOK_AGAIN, Receiver, choose_offer, end_of, review_offer
from rekindle.offers.codes import codes_of, key_of, read_codes
from rekindle.offers.describing import describe_kinds
from rekindle.offers.discovery import find_kinds
from rekindle.offers.expecting import STRENGTH, Redemptions, expect_share
from rekindle.offers.house import build_house_offers, learn_shares
from rekindle.offers.loading import (
    FILE_NAME,
    OffersFile,
    load_offers,
    offers_schema,
    parse_offers,
    read_offers,
    starter_offers,
)
from rekindle.offers.making import (
    Ask,
    CodeTerms,
    Shop,
    ShopKind,
    find_shops,
    terms_of,
)
from rekindle.offers.model import (
    NO_OFFERS,
    Choice,
    Codes,
    Discount,
    GivenOffer,
    HouseOffers,
    Offers,
    OfferTerms,
    Option,
    PastOffer,
    Rung,
    Stock,
    Tie,
    ToGive,
    Wanted,
)

__all__ = [
    "FILE_NAME",
    "LOOK_AGAIN",
    "NO_OFFERS",
    "STRENGTH",
    "Ask",
    "Choice",
    "CodeTerms",
    "Codes",
    "Discount",
    "GivenOffer",
    "HouseOffers",
    "OfferTerms",
    "Offers",
    "OffersFile",
    "Option",
    "PastOffer",
    "Receiver",
    "Redemptions",
    "Rung",
    "Shop",
    "ShopKind",
    "Stock",
    "Tie",
    "ToGive",
    "Wanted",
    "build_house_offers",
    "choose_offer",
    "codes_of",
    "describe_kinds",
    "end_of",
    "expect_share",
    "find_kinds",
    "find_shops",
    "key_of",
    "learn_shares",
    "load_offers",
    "offers_schema",
    "parse_offers",
    "read_codes",
    "read_offers",
    "review_offer",
    "starter_offers",
    "terms_of",
]
