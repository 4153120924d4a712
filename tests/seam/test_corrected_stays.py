"""A stay that begins is kept by its subscription, whatever is corrected of its dates."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from deltalake import DeltaTable, write_deltalake

from rekindle.desk import report_journey
from rekindle.facts.lake import Lake
from rekindle.ledger.models import Signal
from rekindle.runtime import Workspace
from rekindle.subscriptions import name_start
from rekindle.vocabulary import Arm, Reason, SignalKind
from rekindle.worker import Worker
from tests.seam.corner import HOUR, MINUTE, Corner

HEAD = "sub,who,price,from,until,trial"
SOURCE = """
[[sources]]
name = "club"
table = "subscriptions"
path = "club.csv"
[sources.columns]
subscription_id = "sub"
customer_id = "who"
amount = "price"
started_at = "from"
ended_at = "until"
is_trial = "trial"
"""
NUMBERS = ("known_in", "sold_in", "moved_in", "moved_from", "begun_count", "changed_in")
Row = tuple[str, float, float | None]
S1: Row = ("s1", 200, 50)
"""A subscription by its id and how many days before the entry it began and ended."""


class Club:
    """A corner with subscriptions, all of ann's."""

    def __init__(self, corner: Corner) -> None:
        toml = corner.space.directory / "rekindle.toml"
        toml.write_text(toml.read_text(encoding="utf-8") + SOURCE, encoding="utf-8")
        corner.space = Workspace.open(corner.space.directory, clock=corner.clock)
        corner.worker = Worker(corner.space)
        corner.orders(("o0", "bob", corner.ago(days=400), 50, ""))
        self.corner, self.entry = corner, corner.now

    def write(self, *rows: Row, trial: str = "no") -> None:
        lines = [
            ",".join([name, "ann", "9", self.before(since), self.before(until), trial])
            for name, since, until in rows
        ]
        self.corner._write("club.csv", HEAD, lines)

    def before(self, days: float | None) -> str:
        return "" if days is None else (self.entry - timedelta(days=days)).isoformat()

    def bring(self, *rows: Row, trial: str = "no") -> None:
        """Export subscriptions and let a pass see them."""
        self.corner.clock.move(MINUTE)
        self.write(*rows, trial=trial)
        self.corner.import_facts()
        self.corner.tick()

    def enter(self, *rows: Row, audience: str = "subscription_state = 'gone'") -> None:
        self.write(*rows)
        self.corner.import_facts()
        self.corner.start(audience)
        assert self.ended() == [None]

    def ended(self) -> list[Reason | None]:
        return self.corner.ended()

    def noted(self) -> list[tuple[str, datetime, bool]]:
        """Return the purchases on record: of which stay, when, and whether it is none."""
        rows = Signal.objects.using(self.corner.space.ledger).filter(kind=SignalKind.ORDER)
        return sorted(rows.values_list("subject", "at", "is_void"))

    def returned(self) -> int:
        return report_journey(self.corner.space, "win").arms[Arm.TREATMENT].returned


@pytest.fixture
def club(corner: Corner) -> Club:
    return Club(corner)


def ago(club: Club, days: float) -> datetime:
    return club.entry - timedelta(days=days)


@pytest.mark.long
def test_the_stay_somebody_entered_with_is_no_return_however_it_moves(club: Club) -> None:
    club.enter(S1)
    for since, until in ((230, 50), (100, 50), (60, None), (-0.002, None)):
        club.bring(("s1", since, until))
        assert (club.ended(), club.returned()) == ([None], 0), since
    assert club.noted() == []
    club.bring(("s1", 200, 50), ("s2", -0.003, None))
    assert (club.ended(), club.returned()) == ([Reason.ORDER], 1)


@pytest.mark.long
def test_a_return_whose_start_is_corrected_stays_one_purchase(club: Club) -> None:
    club.enter(S1)
    club.bring(S1, ("s2", -0.0001, None))
    assert club.ended() == [Reason.ORDER]
    for since in (10, -0.0005):
        club.bring(S1, ("s2", since, None))
        assert club.noted() == [(name_start("s2"), ago(club, since), False)]
    club.bring(S1)  # a row that a file leaves out is as it was
    assert club.noted() == [(name_start("s2"), ago(club, -0.0005), False)]


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("hidden", [("s2", 230, None), ("s2", 400, 300)])
def test_a_return_that_was_hidden_by_a_wrong_start_ends_once_it_is_corrected(
    club: Club, hidden: Row
) -> None:
    club.enter(S1)
    club.bring(S1, hidden)
    assert club.ended() == [None]
    club.bring(S1, ("s2", -0.001, None))
    assert (club.ended(), club.returned()) == ([Reason.ORDER], 1)


@pytest.mark.long
def test_a_first_stay_that_arrives_late_is_a_purchase(club: Club) -> None:
    club.corner.people(ann="yes,2020-01-01;2020-01-01")
    club.enter(("x", 500, 500), audience="orders_count = 0")
    club.bring(("s1", 20, None))
    assert club.ended() == [Reason.ORDER]


def test_what_begins_a_stay_by_a_correction_of_another_is_no_return(club: Club) -> None:
    """Both were known at entry: the second ran on as the first ended."""
    club.enter(S1, ("s2", 100, 40))
    club.bring(("s1", 200, 120), ("s2", 100, 40))
    assert (club.ended(), club.returned()) == ([None], 0)


@pytest.mark.long
def test_who_never_left_as_is_known_now_did_not_come_back(club: Club) -> None:
    club.enter(S1)
    club.bring(S1, ("s2", -0.0001, None))
    assert club.ended() == [Reason.ORDER]
    club.bring(("s1", 200, None), ("s2", -0.0001, None))
    assert [is_void for *_, is_void in club.noted()] == [True]
    assert club.returned() == 0


@pytest.mark.long
def test_an_old_number_that_begins_anew_is_a_return_and_no_correction(club: Club) -> None:
    club.enter(S1)
    for since in (-0.0005, -0.0008):
        club.bring(("s1", since, None))
        assert (club.ended(), club.returned()) == ([Reason.ORDER], 1)
        assert club.noted() == [(name_start("s1", 2), ago(club, since), False)]


@pytest.mark.long
def test_a_start_ahead_that_is_postponed_is_a_return_as_it_comes(club: Club) -> None:
    club.enter(S1, ("s2", -0.04, None))
    club.bring(S1, ("s2", -0.08, None))
    club.corner.tick(after=HOUR)
    assert club.ended() == [None]
    club.corner.tick(after=HOUR)
    assert club.ended() == [Reason.ORDER]


@pytest.mark.long
def test_a_trial_of_before_that_is_paid_for_is_a_return(club: Club) -> None:
    club.corner.people(ann="yes,2020-01-01;2020-01-01")
    club.write(("s1", 20, None), trial="yes")
    club.corner.import_facts()
    club.corner.start("orders_count = 0")
    club.bring(("s1", 20, None))
    assert club.ended() == [Reason.ORDER]


@pytest.mark.long
def test_a_lake_from_before_this_was_kept_serves(club: Club) -> None:
    club.enter(S1)
    space = club.corner.space
    lake = Lake.of(space.config.facts, space.directory)
    path = lake.folder / "subscriptions"
    with lake.change() as change:
        rows = DeltaTable(path).to_pyarrow_table().drop_columns(list(NUMBERS))
        write_deltalake(path, rows, mode="overwrite", schema_mode="overwrite")
        change.versions["subscriptions"] = DeltaTable(path).version()
    club.corner.space.forget_facts()
    club.corner.tick(after=MINUTE)
    club.bring(("s1", 100, 50))
    assert (club.ended(), club.returned()) == ([None], 0)
    club.bring(("s1", 100, 50), ("s2", -0.002, None))
    assert club.ended() == [Reason.ORDER]
