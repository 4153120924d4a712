"""What a country goes by, and what is paid with: names, states and currencies, as data."""

from rekindle.countries.currencies import check_currency, list_currencies
from rekindle.countries.naming import country_code, iso_table, place_code

__all__ = [
    "check_currency",
    "country_code",
    "iso_table",
    "list_currencies",
    "place_code",
]
