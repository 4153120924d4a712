"""The lift in parts of the people: what they were as they entered, and that it is no proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from rekindle.insights import JourneyRecord, JourneyReport, Membership, build_report, report_page
from rekindle.insights.lifting.subgroups import MOST_SUBGROUPS, OTHERS, Subgroups
from rekindle.insights.tables import subgroup_tables
from rekindle.vocabulary import Arm, Unknown
from tests.insights.measures.conftest import fate
from tests.insights.test_report import crowd, record

Tiers = Mapping[str, str]


def told_apart(members: list[Membership], covariates: Tiers) -> list[Membership]:
    return [replace(one, covariates=covariates) for one in members]


def a_part(name: str, count: int = 100, **covariates: str) -> list[Membership]:
    """Return treated people and as many held out, who were ``covariates`` as they entered."""
    both = [*crowd(f"{name}-t", Arm.TREATMENT, count), *crowd(f"{name}-h", Arm.HOLDOUT, count)]
    return told_apart(both, covariates)


def bought(name: str, count: int, amount: float = 50.0) -> list[tuple[str, str, float]]:
    return [(f"{name}{n}", "2024-03-10", amount + n) for n in range(count)]


@pytest.fixture
def parts_of(open_shop: Any, order_rows: Any) -> Any:
    def build(orders: list[Any], told: JourneyRecord, by: str = "tier") -> JourneyReport:
        engine = open_shop(orders=order_rows(orders))
        return build_report(told, engine.facts(), engine, by=by)

    return build


def the_subgroups(report: JourneyReport) -> Subgroups:
    assert report.subgroups is not None
    return report.subgroups


def test_each_part_has_its_own_difference_and_cost(parts_of: Any) -> None:
    members = a_part("a", tier="lapsed") + a_part("b", count=60, tier="dormant")
    orders = bought("a-t", 40) + bought("a-h", 10) + bought("b-t", 12) + bought("b-h", 12)
    told = record(members, fates=[fate("a-t1"), fate("a-t2"), fate("b-t1")])
    lapsed, dormant = the_subgroups(parts_of(orders, told)).subgroups
    assert (lapsed.name, dormant.name) == ("lapsed", "dormant")
    assert lapsed.assigned == {Arm.TREATMENT: 100, Arm.HOLDOUT: 100}
    assert lapsed.returned == {Arm.TREATMENT: 40, Arm.HOLDOUT: 10}
    assert (lapsed.cost, dormant.cost) == (1.0, 0.5)
    assert not isinstance(lapsed.lift, Unknown)
    assert lapsed.lift.low > 0
    assert not isinstance(dormant.lift, Unknown)
    assert dormant.lift.difference == 0


@pytest.mark.long
def test_intervals_are_as_wide_as_it_takes_for_all_parts(parts_of: Any) -> None:
    members = [one for n in range(4) for one in a_part(f"p{n}", tier=f"t{n}")]
    orders = [one for n in range(4) for one in bought(f"p{n}-t", 20) + bought(f"p{n}-h", 20)]
    found = the_subgroups(parts_of(orders, record(members)))
    assert found.confidence == pytest.approx(1 - 0.05 / 4)
    assert "Exploratory: 4 subgroups looked at together" in found.told[0]
    alone = the_subgroups(parts_of(orders, record(a_part("p0", tier="t0"))))
    wide, narrow = found.subgroups[0].lift, alone.subgroups[0].lift
    assert not isinstance(wide, Unknown)
    assert not isinstance(narrow, Unknown)
    assert wide.high - wide.low > narrow.high - narrow.low


def test_who_entered_before_it_was_kept_is_a_part_that_says_so(parts_of: Any) -> None:
    members = a_part("a", tier="lapsed") + a_part("b", value_band="low") + a_part("c")
    found = the_subgroups(parts_of([], record(members)))
    assert {one.name for one in found.subgroups} == {"lapsed", "none", "not known"}
    assert "entered before it was kept" in found.told[1]


def test_small_parts_are_one_together(parts_of: Any) -> None:
    members = [one for n in range(30) for one in a_part(f"p{n}", 30 - n, tier=f"t{n:02}")]
    names = [one.name for one in the_subgroups(parts_of([], record(members))).subgroups]
    assert len(names) == MOST_SUBGROUPS
    assert names[0] == OTHERS
    assert names[1:] == [f"t{n:02}" for n in range(MOST_SUBGROUPS - 1)]


@pytest.mark.long
def test_a_part_of_one_arm_is_told_and_not_counted_among_the_looked_at(parts_of: Any) -> None:
    alone = told_apart(crowd("x", Arm.TREATMENT, 5), {"tier": "gone"})
    found = the_subgroups(parts_of(bought("a-t", 20), record(a_part("a", tier="lapsed") + alone)))
    assert found.confidence == 0.95
    gone = found.subgroups[1]
    assert gone.name == "gone"
    assert isinstance(gone.lift, Unknown)
    assert isinstance(gone.return_rate(Arm.HOLDOUT), Unknown)


def test_no_report_has_parts_that_nobody_asked_for(parts_of: Any) -> None:
    report = parts_of([], record(a_part("a", tier="lapsed")), by="")
    assert report.subgroups is None
    assert report.to_json()["subgroups"] is None
    assert list(subgroup_tables(report)) == []


@pytest.mark.long
def test_the_page_shows_names_as_text(parts_of: Any, nasty: str) -> None:
    report = parts_of(bought("a-t", 3), record(a_part("a", tier=nasty)))
    page = report_page(report, "A shop")
    assert "Whom it moved" in page
    assert nasty not in page
