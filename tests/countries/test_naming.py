"""A country is known by its codes and by its names, however they are written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rekindle.consent import LegalStanding, Rule, decide_permission
from rekindle.countries import country_code, iso_table
from rekindle.gate import resolve_zones
from rekindle.identity import normalise_phone
from rekindle.intake import read_card
from rekindle.vocabulary import Channel, Purpose


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("gb", "GB"),
        ("U.K.", "GB"),
        ("The United Kingdom", "GB"),
        ("CAN", "CA"),
        (" canada ", "CA"),
        ("Österreich", "AT"),
        ("Osterreich", "AT"),
        ("OESTERREICH", "AT"),
        ("España", "ES"),
        ("Espana", "ES"),
        ("Côte d’Ivoire", "CI"),
        ("Cote d'Ivoire", "CI"),
        ("Türkiye", "TR"),
        ("Trinidad and Tobago", "TT"),
        ("Trinidad & Tobago", "TT"),
        ("日本", "JP"),
        ("Ελλάς", "GR"),
        ("AND", "AD"),
        ("Narnia", None),
        ("", None),
        (None, None),
    ],
)
def test_a_country_is_known_by_codes_and_names(text: str | None, code: str | None) -> None:
    assert country_code(text) == code


def test_every_country_of_iso_3166_is_known_by_its_codes_and_name() -> None:
    for code, name in iso_table("iso3166.tab"):
        assert country_code(code) == country_code(name) == code


@pytest.mark.parametrize("country", ["CA", "can", "Canada"])
def test_permissions_zones_phones_and_cards_know_the_same_countries(country: str) -> None:
    permission = decide_permission(
        (),
        LegalStanding(
            Channel("email"),
            (country,),
            datetime(2020, 1, 1, tzinfo=UTC),
            claims=frozenset({"soft_opt_in"}),
        ),
        purpose=Purpose.MARKETING,
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert permission.rule is Rule.EXPIRED
    assert "America/Toronto" in {str(zone) for zone in resolve_zones(None, country, None, "UTC")}
    assert normalise_phone("(416) 555-0123", country) == "+14165550123"
    assert read_card({"address": {"country": country}}).country == "CA"
