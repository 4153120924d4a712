"""What a country goes by: one table of names, for permissions, zones, phones and cards."""

from rekindle.countries.naming import country_code, iso_table, place_code

__all__ = ["country_code", "iso_table", "place_code"]
