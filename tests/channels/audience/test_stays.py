"""From a journey to a list of ads and off it again, in a whole workspace."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from unittest.mock import Mock

import pytest

from rekindle.channels.audience.files.roster import FileRoster
from rekindle.consent import ConsentRecord
from rekindle.errors import TemporaryDeliveryError
from rekindle.messages import ChangeKind, ListChange
from rekindle.vocabulary import SignalKind
from rekindle.worker import examine
from tests.channels.audience.lists import AUDIENCE, DAY, HOUR, MINUTE, Shop
from tests.cli.commands import rekindle

AT = datetime(2026, 11, 28, 8, tzinfo=UTC)
ANN = sha256(b"ann.lee@example.com").hexdigest()
BOB = sha256(b"bob@example.com").hexdigest()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "shop")
    yield shop
    shop.close()


@pytest.mark.long
def test_a_stay_ends_with_a_return_or_when_it_is_over_and_may_begin_again(shop: Shop) -> None:
    shop.start()
    assert shop.members() == {ANN, BOB}
    shop.clock.move(DAY)
    shop.buy("ann")
    shop.later(MINUTE)
    assert shop.members() == {BOB}
    (stay,) = shop.stays()
    assert (stay.reason, stay.effective_at, stay.member) == ("order", shop.clock.now(), "")
    shop.later(30 * DAY)
    assert [(one.reason, one.member) for one in shop.stays("bob")] == [("finished", "")]
    assert shop.members() == set()
    shop.later(60 * DAY)
    assert shop.members() == {ANN, BOB}
    folder = shop.folder / "state" / "audiences" / "lapsed"
    names = [path.name.partition("-")[0] for path in sorted(folder.glob("*-*.csv"))]
    assert sorted(names) == ["added", "added", "removed", "removed"]
    assert not list(folder.glob("*.new"))


def test_a_return_between_the_message_and_the_list_is_in_time(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker dies after it took down who is to be on the list, and before it says so."""
    no = ConsentRecord("bob", AUDIENCE, False, shop.clock.now(), "form")
    shop.space.book.save_consent([no])

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("rekindle.worker.keeping.lists.ListKeeper.run", die)
        with pytest.raises(KeyboardInterrupt):
            shop.start()
    assert shop.stays("bob") == []
    assert shop.stays()[0].told_at is None
    (row,) = rekindle("status", "--json", "-C", shop.folder).document["ledger"]["lists"]
    assert (row["destination"], row["members"], row["waiting"]) == ("lapsed", 0, 1)
    shop.record("ann", SignalKind.ORDER)
    (stay,) = shop.stays()
    assert (stay.requested_at, stay.effective_at) == (shop.clock.now(), shop.clock.now())
    shop.later(HOUR)
    assert shop.members() == set()
    assert "order" in rekindle("explain", "ann", "-C", shop.folder).out


@pytest.mark.long
def test_a_removal_that_takes_days_is_told_of(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.start()
    shop.clock.move(DAY)
    with monkeypatch.context() as patch:
        full = TemporaryDeliveryError("the disk is full")
        patch.setattr(FileRoster, "tell", Mock(side_effect=full))
        shop.record("ann", SignalKind.ORDER)
        shop.later(MINUTE)
        shop.later(3 * DAY)
    assert shop.members() == {ANN, BOB}
    (line,) = (one for one in examine(shop.space) if one.about == "lists")
    assert "1 removal from lapsed" in line.found
    assert "the disk is full" in line.found
    told = rekindle("status", "-C", shop.folder, "--as-of", shop.clock.now().isoformat()).out
    assert "1 asked for, 0 taken" in " ".join(told.split())


def test_of_two_workers_the_later_writes_the_newer_list(tmp_path: Path) -> None:
    """One is half-way through a list that it read before somebody was taken off."""
    half, go_on = Event(), Event()
    members = ["a" * 64, "x" * 64]

    def slowly() -> Iterator[str]:
        yield from members
        half.set()
        go_on.wait(5)

    def add() -> None:
        FileRoster(tmp_path).tell(ListChange(ChangeKind.ADD, "l", ("x" * 64,), AT, slowly))

    def remove() -> None:
        FileRoster(tmp_path).tell(
            ListChange(ChangeKind.REMOVE, "l", ("x" * 64,), AT, lambda: members[:1])
        )

    workers = [Thread(target=work) for work in (add, remove)]
    workers[0].start()
    assert half.wait(5)
    workers[1].start()
    workers[1].join(0.2)
    go_on.set()
    for worker in workers:
        worker.join(10)
    told = (tmp_path / "l" / "members.csv").read_text(encoding="ascii").split()
    assert told == ["email_sha256", "a" * 64]
    assert len(list((tmp_path / "l").glob("*-2026*.csv"))) == 2
