"""A rank says who is in the upper fifth and the upper half, ties and all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.config import LifecycleSettings
from rekindle.profiles.families.value_band import build_value_band

AMOUNTS = st.lists(st.integers(-3, 12), min_size=1, max_size=40)


def quantile(values: Sequence[int], share: Fraction) -> Fraction:
    """Return the interpolated quantile (type 7 of Hyndman & Fan 1996), exactly."""
    ranked, at = sorted(values), share * (len(values) - 1)
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return ranked[low] + (at - low) * (ranked[high] - ranked[low])


def bands(days: Sequence[Sequence[int]], prospects: int = 0) -> list[tuple[int, int, str | None]]:
    """Return date, value and band of buyers (and prospects, worth nothing) of some dates."""
    rows = [
        {"as_of": date(2024, 1, day), "orders_count": count, "lifetime_value": Decimal(value)}
        for day, values in enumerate(days, 1)
        for count, value in [*((1, value) for value in values), *[(0, 0)] * prospects]
    ]
    schema = {"as_of": "date", "orders_count": "int64", "lifetime_value": "decimal(18, 4)"}
    found = (
        build_value_band(ibis.memtable(rows, schema=schema), LifecycleSettings())
        .to_pyarrow()
        .to_pylist()
    )
    return [
        (row["as_of"].day, int(row["lifetime_value"]), row["value_band"])
        for row in found
        if row["orders_count"]
    ]


@pytest.mark.long
@settings(deadline=None)
@given(AMOUNTS, AMOUNTS)
def test_bands_are_those_of_the_quantiles_of_the_date(first: list[int], second: list[int]) -> None:
    found = bands([first, second], prospects=3)
    assert len(found) == len(first) + len(second)
    for day, value, band in found:
        values = (first, second)[day - 1]
        if value >= quantile(values, Fraction(4, 5)):
            assert band == "high"
        else:
            assert band == ("middle" if value >= quantile(values, Fraction(1, 2)) else "low")


def test_equal_customers_share_a_band() -> None:
    assert {band for _, _, band in bands([[5] * 7])} == {"high"}
