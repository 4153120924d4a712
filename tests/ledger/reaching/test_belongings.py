"""The register of what is kept for whom: the newest statement of each departure counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rekindle.journeys import Person
from rekindle.ledger import (
    BelongingsEntry,
    BelongingsRegister,
    KeptAnswer,
    LastStay,
    LedgerBook,
    ledger_transaction,
)

HERE = ZoneInfo("UTC")
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
NEAR = datetime(2026, 4, 20, tzinfo=UTC)
TODAY, DAY = NOW.date(), timedelta(days=1)
LEFT = LastStay("ada", 1, is_gone=True, ended_on=date(2026, 1, 31), came_on=date(2025, 1, 1))
BACK = replace(LEFT, is_gone=False, came_on=date(2026, 2, 20))


class Shelf:
    """A register, and the instant at which it is looked at."""

    def __init__(self, alias: str) -> None:
        self.register, self.alias, self.now = BelongingsRegister(alias), alias, NOW

    @property
    def today(self) -> date:
        return self.now.date()

    def follow(self, *stays: LastStay, what: tuple[str, ...] = ("Tunes",), days: int = 90) -> int:
        found = self.register.follow(stays, self.now, today=self.today, what=what, days=days)
        assert found is not None
        return found

    def row(self) -> BelongingsEntry:
        return self.register.newest_of(["ada"])["ada"]

    def claim(self, at: datetime | None = None) -> tuple[BelongingsEntry, str] | None:
        self.now = at or self.now
        return self.register.claim(self.now, today=self.today, days=14)

    def answer(self, answer: KeptAnswer | None, at: datetime = NEAR) -> None:
        found = self.claim(at)
        assert found is not None
        self.register.told(*found, answer, at)

    def warn(self) -> list[date]:
        with ledger_transaction(self.alias):
            return [one.kept_until for one in self.register.warn(self.today, 14)]


@pytest.fixture
def shelf(alias: str) -> Shelf:
    return Shelf(alias)


def test_it_is_kept_for_the_days_that_were_promised_as_they_left(shelf: Shelf) -> None:
    assert shelf.follow(LEFT) == 1
    assert shelf.follow(LEFT, what=("Other",), days=10) == 0
    assert (shelf.row().kept_until, shelf.row().what) == (date(2026, 5, 1), ("Tunes",))


@pytest.mark.parametrize(
    "stay",
    [
        BACK,
        replace(LEFT, ended_on=date(2025, 11, 30)),  # over since yesterday
        replace(LEFT, ended_on=None),
    ],
)
def test_nothing_begins_for_who_is_here_or_left_long_ago(shelf: Shelf, stay: LastStay) -> None:
    assert shelf.follow(stay) == 0
    assert shelf.follow(LEFT, what=()) == 0
    assert not shelf.register.all()


def test_the_last_day_may_be_today(shelf: Shelf) -> None:
    shelf.follow(replace(LEFT, ended_on=date(2025, 12, 1)))
    assert (shelf.row().kept_until, shelf.row().state(TODAY)) == (TODAY, "kept")
    assert shelf.row().state(TODAY + DAY) == "over"


def test_a_later_end_moves_the_day_and_is_told_anew(shelf: Shelf) -> None:
    shelf.follow(LEFT)
    shelf.answer(None)
    assert shelf.claim() is None
    shelf.follow(replace(LEFT, ended_on=date(2026, 2, 3)))
    again = shelf.claim()
    assert again is not None
    assert (again[0].kept_until, again[1]) == (date(2026, 5, 4), "ending")


def test_a_return_closes_it_and_a_second_departure_begins_another(shelf: Shelf) -> None:
    shelf.follow(LEFT)
    shelf.follow(BACK)
    assert (shelf.row().found(HERE), shelf.row().closed_on) == ("in_place", date(2026, 2, 20))
    second = replace(LEFT, number=2, ended_on=date(2026, 2, 27), came_on=date(2026, 2, 20))
    shelf.follow(second)
    assert [one.closed for one in shelf.register.all("ada")] == ["returned", ""]
    # Neither end was one, as it is said now; and then as it was said before.
    shelf.follow(replace(BACK, number=0, ended_on=None))
    assert [one.closed for one in shelf.register.all("ada")] == ["corrected", "corrected"]
    shelf.follow(LEFT)
    assert [one.closed for one in shelf.register.all("ada")] == ["", "corrected"]


def test_a_return_that_is_known_only_with_the_next_end_closes_it_too(shelf: Shelf) -> None:
    shelf.follow(LEFT)
    shelf.follow(replace(LEFT, number=2, ended_on=date(2026, 2, 27), came_on=date(2026, 2, 20)))
    first, second = shelf.register.all("ada")
    assert (first.closed_on, first.found(HERE), second.closed) == (
        date(2026, 2, 20),
        "in_place",
        "",
    )


def test_what_the_business_said_last_stands_over_an_end_that_is_corrected(shelf: Shelf) -> None:
    shelf.follow(LEFT)
    shelf.answer(KeptAnswer(date(2026, 9, 1)))
    shelf.follow(replace(LEFT, ended_on=date(2026, 2, 3)))
    assert (shelf.row().kept_until, shelf.row().answer) == (date(2026, 9, 1), "kept")
    assert shelf.claim() is None
    asked = shelf.claim(datetime(2026, 8, 20, tzinfo=UTC))
    assert asked is not None
    assert asked[1] == "ending"


def test_what_was_deleted_is_asked_about_no_more_and_was_not_found(shelf: Shelf) -> None:
    shelf.follow(LEFT)
    shelf.answer(KeptAnswer())
    assert (shelf.row().state(shelf.today), shelf.warn()) == ("deleted", [])
    assert shelf.claim(datetime(2026, 6, 1, tzinfo=UTC)) is None
    shelf.follow(replace(BACK, came_on=date(2026, 4, 22)))
    assert shelf.row().found(HERE) == "gone"


@pytest.mark.parametrize(
    ("zone", "second", "found"),
    [
        ("America/Los_Angeles", "2026-04-21T02:00Z", "gone"),  # the 20th there still
        ("America/Los_Angeles", "2026-04-21T08:00Z", "in_place"),
        ("Pacific/Apia", "2026-04-20T08:00Z", "gone"),
        ("Pacific/Apia", "2026-04-20T20:00Z", "in_place"),  # the 21st there already
    ],
)
def test_what_was_deleted_after_the_day_of_the_return_was_found(
    shelf: Shelf, zone: str, second: str, found: str
) -> None:
    shelf.follow(LEFT)
    shelf.answer(KeptAnswer(), datetime.fromisoformat(second))
    shelf.follow(replace(BACK, came_on=date(2026, 4, 20)))
    assert shelf.row().found(ZoneInfo(zone)) == found


def test_who_comes_after_the_last_day_perhaps_found_it(shelf: Shelf) -> None:
    shelf.follow(LEFT)
    shelf.now = datetime(2026, 6, 1, tzinfo=UTC)
    shelf.follow(replace(BACK, came_on=date(2026, 5, 2)))
    assert shelf.row().found(HERE) == "perhaps"
    assert shelf.claim() is None  # nobody is asked what became of it


def test_an_end_that_was_announced_is_told_as_well_and_each_once(shelf: Shelf) -> None:
    shelf.follow(LEFT)
    shelf.answer(None)
    over = datetime(2026, 5, 2, tzinfo=UTC)
    found = shelf.claim(over)
    assert found is not None
    assert found[1] == "ended"
    shelf.register.told(*found, None, over)
    assert shelf.claim(over + 30 * DAY) is None


def test_two_do_not_tell_it_at_once_and_who_died_leaves_it_to_the_next(shelf: Shelf) -> None:
    shelf.follow(LEFT)
    first = shelf.claim(NEAR)
    assert shelf.claim() is None
    assert shelf.claim(NEAR + timedelta(minutes=5)) == first


def test_an_answer_to_a_day_that_moved_meanwhile_leaves_the_new_one_to_be_told(
    shelf: Shelf,
) -> None:
    shelf.follow(LEFT)
    asked = shelf.claim(NEAR)
    assert asked is not None
    shelf.follow(replace(LEFT, ended_on=date(2026, 1, 30)))
    shelf.register.told(*asked, None, NEAR)
    again = shelf.claim()
    assert again is not None
    assert again[0].kept_until == date(2026, 4, 30)


def test_it_is_warned_of_once_a_last_day(shelf: Shelf) -> None:
    shelf.follow(LEFT)
    assert shelf.warn() == []
    shelf.now = datetime(2026, 4, 17, tzinfo=UTC)
    assert (shelf.warn(), shelf.warn()) == ([date(2026, 5, 1)], [])
    shelf.follow(replace(LEFT, ended_on=date(2026, 1, 30)))
    assert shelf.warn() == [date(2026, 4, 30)]


def test_of_who_was_erased_nothing_is_kept_and_nothing_begins(
    shelf: Shelf, book: LedgerBook
) -> None:
    book.save_people([Person("ada", "ada@example.com")])
    shelf.follow(LEFT, replace(LEFT, person="ben"))
    book.erase("ada", NOW)
    assert shelf.register.open_people() == ("ben",)
    assert shelf.follow(LEFT) == 0


def test_who_knows_less_does_not_have_the_last_word(shelf: Shelf) -> None:
    shelf.follow(LEFT)
    stale = replace(LEFT, number=0)

    def follow(is_newest: bool) -> int | None:
        return shelf.register.follow(
            [stale], NOW, today=TODAY, what=(), days=90, is_newest=lambda: is_newest
        )

    assert follow(is_newest=False) is None
    assert shelf.row().closed == ""
    assert follow(is_newest=True) == 1


def test_an_answer_that_comes_after_another_had_asked_again_is_not_written(shelf: Shelf) -> None:
    shelf.follow(LEFT)
    late, newer = shelf.claim(NEAR), shelf.claim(NEAR + timedelta(minutes=5))
    assert late is not None
    assert newer is not None
    shelf.register.told(*newer, KeptAnswer(date(2026, 12, 31)), NEAR)
    shelf.register.told(*late, KeptAnswer(), NEAR)
    shelf.register.failed(late[0], "no answer", NEAR, retry_after=None)
    row = shelf.row()
    assert (row.answer, row.kept_until, row.failures) == ("kept", date(2026, 12, 31), 0)
