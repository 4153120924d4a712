"""A kind of offer from outside: installed, and known everywhere without another edit."""

from __future__ import annotations

import pytest

from rekindle.errors import ConfigError
from rekindle.offers import describe_kinds, find_kinds, offers_schema, parse_offers
from tests.extensions.conftest import Install, files_of

DECLARED = "offers: {old: {kind: loyal, years: 3, codes: none}}"


def test_kind_of_the_how_to_page_is_known_everywhere(install: Install) -> None:
    install(files_of("offer-kind.md"))
    terms = parse_offers(DECLARED).terms["old"]
    assert terms.describe("GBP") == "3 off for 3 years with us"
    assert terms.cost(terms.minimum_basket) == 3
    assert "`kind: loyal`" in describe_kinds()
    assert "Loyal" in offers_schema()["$defs"]


def test_what_is_no_kind_or_taken_is_refused(install: Install) -> None:
    page = files_of("offer-kind.md")
    install(page | {"loyal_offers.py": page["loyal_offers.py"].replace('"loyal"', '"gift"')})
    with pytest.raises(ConfigError, match="there is a kind of offer 'gift' already"):
        find_kinds()
