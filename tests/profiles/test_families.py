"""Every family that is found keeps what families promise, and a bad one is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rekindle.errors import ConfigError
from rekindle.profiles import FAMILIES, Derivation, Family, OrderTally, ProfileColumn
from rekindle.profiles.discovery import Families
from rekindle.testing.family_contract import check_families


def column(name: str) -> ProfileColumn:
    return ProfileColumn(name, "count", "", "For a test.")


TALLY = OrderTally({"tills_count": lambda orders: orders.source.nunique()})
TILLS = Family("tills", "Where people buy.", (column("tills_count"),), TALLY)
TWICE = Family(
    "twice",
    "Twice as much.",
    (column("twice_count"),),
    Derivation(lambda table, settings: table.mutate(twice_count=table.orders_count * 2)),
    needs=("orders_count",),
)


def among(*families: Family) -> Families:
    """Return the families of the house and ``families``, checked as when they are found."""
    found = Families()
    found.__dict__["_found"] = found.checked(
        [*((name, family) for name, family in FAMILIES.items()), *(("a test", f) for f in families)]
    )
    return found


WORDS = {
    "end_reason": ("payment failed",),
    "event": ("support_ticket", "visit", "left_because_other"),
}


@pytest.mark.draws(1)
@pytest.mark.parametrize("name", list(FAMILIES))
def test_a_family_keeps_what_families_promise(name: str) -> None:
    check_families(name, texts=WORDS)


@pytest.mark.long
def test_families_keep_together_what_families_promise() -> None:
    check_families(*FAMILIES, texts=WORDS)


def test_columns_without_a_place_come_last() -> None:
    assert among(TWICE, TILLS).names == (*FAMILIES.names, "tills_count", "twice_count")


def test_a_column_is_followed_to_all_it_is_made_of() -> None:
    assert FAMILIES.behind(["value_band"]) == {
        "value_band",
        "lifetime_value",
        "orders_count",
        "gross_value",
        "discount_value",
        "refund_value",
    }


def test_it_is_known_which_columns_compare_people() -> None:
    columns = ("average_order_value", "last_order_on", "value_band", "tier")
    assert [FAMILIES.compare_people([name]) for name in columns] == [False, False, True, True]


@pytest.mark.long
def test_a_family_that_compares_people_and_denies_it_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    band = FAMILIES["value_band"]
    assert isinstance(band.how, Derivation)
    denies = replace(band, how=replace(band.how, is_of_one_row=True))
    monkeypatch.setitem(vars(FAMILIES), "_found", {**FAMILIES, "value_band": denies})
    with pytest.raises(AssertionError, match="value_band says is_of_one_row"):
        check_families("value_band")


def test_families_come_after_those_they_need() -> None:
    order = list(among(replace(TWICE, name="a_first")))
    assert order.index("orders") < order.index("a_first")


@pytest.mark.parametrize(
    ("family", "word"),
    [
        (replace(TILLS, name="orders"), "'orders' already"),
        (replace(TILLS, columns=(column("tier"),)), "column 'tier' already"),
        (replace(TILLS, columns=(column("as_of"),)), "column 'as_of' already"),
        (replace(TILLS, columns=(column("Tills"),)), "'Tills' is no name"),
        (replace(TILLS, needs=("tier",)), "only a Derivation"),
        (
            replace(TILLS, columns=(replace(column("tills"), type="count", is_covariate=True),)),
            "'tills' is no text",
        ),
        (replace(TWICE, needs=("orders_cuont",)), "needs 'orders_cuont', which no family adds"),
        (replace(TWICE, needs=("twice_count",)), "in a ring: twice → twice"),
    ],
)
def test_a_family_that_cannot_be_is_refused(family: Family, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        among(family)
