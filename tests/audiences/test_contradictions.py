"""Conditions nobody can ever meet are told by their words, and no others."""

from __future__ import annotations

import pytest

from rekindle.audiences import is_never
from rekindle.errors import PredicateError


@pytest.mark.parametrize(
    "text",
    [
        "false",
        "not true",
        "1 = 2",
        "2 > 3 and has_email",
        "tier = 'lapsed' and tier = 'active'",
        "tier in ('lapsed', 'gone') and TIER not in ('gone', 'lapsed')",
        "tier = 'lapsed' and not (tier in ('lapsed', 'gone'))",
        "value_band <> 'high' and value_band <> 'low' and value_band <> 'middle'",
        "orders_count > 5 and orders_count < 3",
        "orders_count > 5 and 5 > orders_count",
        "orders_count >= 5 and orders_count < 5",
        "orders_count between 7 and 5",
        "orders_count between 1 and 2 and orders_count > 2",
        "orders_count in (1, 2) and orders_count > 2",
        "lifetime_value < -5 and lifetime_value > -3",
        "has_email and not has_email",
        "has_email is true and has_email = false",
        "clicked and not clicked",
        "clicked and not did('click')",
        "country is null and country = 'DE'",
        "country is null and country like 'D%'",
        "country is null and country is not null",
        "country is null and not (country = 'DE')",
        "last_order_on > '2024-05-31' and last_order_on < date '2024-05-01'",
        "first_order_at > '2024-05-31T00:00:00Z' and first_order_at < '2024-05-31T01:00:00+02:00'",
        "(tier = 'lapsed' or tier = 'gone') and (tier = 'active' or tier = 'new')",
        "not (tier <> 'lapsed' or tier = 'lapsed')",
        "false or (has_email and 1 <> 1)",
    ],
)
def test_what_contradicts_itself_is_never_met(text: str) -> None:
    assert is_never(text)


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "clicked",
        "tier = 'lapsed' or tier = 'active'",
        "not (tier = 'lapsed' and tier = 'active')",
        "orders_count >= 5 and orders_count <= 5",
        "orders_count > 5 or orders_count < 3",
        "orders_count not between 1 and 2",
        "not (country = 'DE') and country <> 'FR'",
        "not (orders_count < 1) and orders_count = 1",
        "not (orders_count >= 1) and orders_count <> 1",
        "country is null or country = 'DE'",
        "(country = 'DE') is not true and country = 'DE'",  # true of nobody, but who can tell
        "last_order_on < current_date and last_order_on > current_date",
        "last_order_on + interval 8 days < current_date",
        "lower(country) = 'de' and country = 'DE'",
        "coalesce(country, 'DE') = 'DE' and country is null",
        "orders_count * 2 > 5 and orders_count < 3",
        "has_email is not true and has_email is not false",
        " and ".join(["(has_email or clicked)"] * 90),
    ],
)
def test_what_may_be_met_is_left_alone(text: str) -> None:
    assert not is_never(text)


def test_what_is_no_condition_is_refused() -> None:
    with pytest.raises(PredicateError, match="after IN, list the values"):
        is_never("tier in ()")
