"""A person's zones come from the best that their record says, and never from nonsense."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from rekindle.gate.local_time import QuietHours, quiet_until
from rekindle.gate.zones import resolve_zones

DEFAULT = "Europe/Paris"
AMERICAN = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/Adak",
    "Pacific/Honolulu",
)
COUNTRIES = [
    line.split("\t")[0]
    for line in files("tzdata")
    .joinpath("zoneinfo", "iso3166.tab")
    .read_text(encoding="utf-8")
    .splitlines()
    if not line.startswith("#")
]
UNINHABITED = {"BV", "HM"}  # Bouvet, Heard and McDonald Islands: no zone of their own


def names(timezone: str | None, country: str | None, phone: str | None) -> tuple[str, ...]:
    return tuple(zone.key for zone in resolve_zones(timezone, country, phone, DEFAULT))


def test_profile_wins_over_address_over_phone_over_workspace() -> None:
    assert names("Asia/Tokyo", "NP", "+49 30 901820") == ("Asia/Tokyo",)
    assert names(None, "NP", "+49 30 901820") == ("Asia/Kathmandu",)
    assert names(None, None, "+49 30 901820") == ("Europe/Berlin",)
    assert names(None, None, None) == (DEFAULT,)


@pytest.mark.parametrize("name", ["asia/tokyo", " Asia/Tokyo ", "ASIA/TOKYO"])
def test_zone_name_is_read_as_people_type_it(name: str) -> None:
    assert names(name, None, None) == ("Asia/Tokyo",)
    assert names("america/new york", None, None) == ("America/New_York",)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "Mars/Olympus",
        "../etc/passwd",
        "/etc/localtime",
        "EST5EDT;rm",
        "Europe",
        "Factory",
        "zone.tab",
        "Asia/Tokyo\x00",
        "\ud800",
        "Z" * 300,
    ],
)
def test_nonsense_counts_as_not_given(name: str) -> None:
    assert names(name, "NP", None) == ("Asia/Kathmandu",)
    assert names(None, name, "+81 3 3224 5000") == ("Asia/Tokyo",)
    assert names(None, None, name) == (DEFAULT,)


def test_unknown_workspace_zone_is_utc() -> None:
    assert resolve_zones(None, None, None, "Mars/Olympus") == (ZoneInfo("UTC"),)


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("GB", "Europe/London"),
        ("gbr", "Europe/London"),
        ("UK", "Europe/London"),
        ("United Kingdom", "Europe/London"),
        ("EIRE", "Europe/Dublin"),
        ("Deutschland", "Europe/Berlin"),
        ("DEU", "Europe/Berlin"),
        ("The Netherlands", "Europe/Amsterdam"),
        ("Türkiye", "Europe/Istanbul"),
        ("TURKIYE", "Europe/Istanbul"),
        ("Cote d'Ivoire", "Africa/Abidjan"),
        ("Trinidad and Tobago", "America/Port_of_Spain"),
        ("Korea, Republic of", "Asia/Seoul"),
        ("日本", "Asia/Tokyo"),
        ("U.A.E.", "Asia/Dubai"),
        ("RSA", "Africa/Johannesburg"),
        ("AND", "Europe/Andorra"),
    ],
)
def test_country_is_known_by_its_codes_and_names(country: str, zone: str) -> None:
    assert names(None, country, None) == (zone,)


@pytest.mark.parametrize("country", ["US", "USA", "U.S.A.", "United States", "america"])
def test_country_with_several_zones_gives_each_behaviour_once(country: str) -> None:
    assert names(None, country, None) == AMERICAN


@pytest.mark.parametrize("country", ["Unspecified", "European Community", "Atlantis", "the"])
def test_country_that_is_none_falls_to_the_phone(country: str) -> None:
    assert names(None, country, "+81 3 3224 5000") == ("Asia/Tokyo",)


def test_most_populous_zone_comes_first() -> None:
    first = {code: names(None, code, None)[0] for code in ("AU", "BR", "CA", "RU", "UA")}
    assert first == {
        "AU": "Australia/Sydney",
        "BR": "America/Sao_Paulo",
        "CA": "America/Toronto",
        "RU": "Europe/Moscow",
        "UA": "Europe/Kyiv",
    }


@pytest.mark.long
def test_every_country_has_a_zone_by_both_codes_and_few_of_them() -> None:
    found = {code: resolve_zones(None, code, None, "UTC") for code in COUNTRIES}
    unknown = {code for code, zones in found.items() if zones == (ZoneInfo("UTC"),)}
    assert unknown == UNINHABITED
    assert max(map(len, found.values())) <= 12


def test_zones_left_out_agree_with_one_that_stayed() -> None:
    moments = [datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=5.3 * n) for n in range(1370)]

    def clock(zone: ZoneInfo) -> tuple[timedelta | None, ...]:
        return tuple(moment.astimezone(zone).utcoffset() for moment in moments)

    kept = {clock(zone) for zone in resolve_zones(None, "US", None, DEFAULT)}
    assert clock(ZoneInfo("America/Detroit")) in kept
    assert clock(ZoneInfo("America/North_Dakota/Beulah")) in kept
    assert len(kept) == len(AMERICAN)


@pytest.mark.parametrize(
    ("phone", "zones"),
    [
        ("+81 3-3224-5000", ("Asia/Tokyo",)),
        ("0081 3 3224 5000", ("Asia/Tokyo",)),
        ("tel:+81-3-3224-5000", ("Asia/Tokyo",)),
        ("+44 (0)20 7946 0000", ("Europe/London",)),
        ("+\uff11 202 456 1414", AMERICAN),
        ("+81 3\u20133224\u20135000 ext. 7", ("Asia/Tokyo",)),
        ("+1 671 475 9222", ("Pacific/Guam",)),
        ("+7 701 111 2233", ("Asia/Almaty", "Asia/Qyzylorda")),
        ("020 7946 0000", (DEFAULT,)),
        ("+800 1234 5678", (DEFAULT,)),
        ("+999 1234 5678", (DEFAULT,)),
        ("+81", (DEFAULT,)),
        ("+81 1234 5678 9012 3456", (DEFAULT,)),
        ("call me", (DEFAULT,)),
    ],
)
def test_phone_in_international_form_gives_its_country(phone: str, zones: tuple[str, ...]) -> None:
    assert names(None, None, phone) == zones


def test_number_of_no_one_country_gives_all_that_share_its_code() -> None:
    shared = names(None, None, "+1 555 000 0000")
    assert set(AMERICAN) | {"America/St_Johns", "Pacific/Guam"} <= set(shared)
    assert names(None, None, "+7 000 000 0000")[0] == "Europe/Moscow"


def test_message_to_the_united_states_leaves_when_it_is_day_in_all_of_it() -> None:
    places = resolve_zones(None, "US", None, DEFAULT)
    night = QuietHours(time(21), time(8))
    morning_in_new_york = datetime(2026, 1, 15, 13, tzinfo=UTC)
    eight_in_honolulu_and_adak = datetime(2026, 1, 15, 18, tzinfo=UTC)
    assert quiet_until(morning_in_new_york, places, night) == eight_in_honolulu_and_adak
