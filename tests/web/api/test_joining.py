"""Batches that wait for one another are written together, and each keeps its own answer."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.thread import _global_shutdown_lock
from datetime import datetime
from threading import Event as Signal
from threading import Thread
from threading import enumerate as enumerate_threads

import pytest

from rekindle.clock import pause, stopwatch
from rekindle.errors import BusyError, LedgerError
from rekindle.intake import Event, read_event
from rekindle.ledger import Inbox, ReadyEvent, Taken
from rekindle.ledger.intake_models import Event as Row
from rekindle.runtime import Workspace
from rekindle.worker import LedgerIntake
from tests.web.api.fake_intake import NOW

REFUSED = "refused"


class Door:
    """Holds what is written first until the rest waits, and notes what is taken together."""

    def __init__(self, patch: pytest.MonkeyPatch, failure: Exception) -> None:
        self.groups: list[list[str]] = []
        self._open, self._reached = Signal(), Signal()
        real = Inbox.take

        def take(inbox: Inbox, source: str, reports: Sequence[ReadyEvent], at: datetime) -> Taken:
            self._reached.set()
            self._open.wait(120)
            self.groups.append([report.event.message_id for report in reports])
            if REFUSED in self.groups[-1]:
                raise failure
            return real(inbox, source, reports, at)

        patch.setattr(Inbox, "take", take)

    def let_in(self, intake: LedgerIntake, *ids: str) -> list[Future[frozenset[str]]]:
        """Send a batch for each id; all but the first come while that is being written."""
        with ThreadPoolExecutor(len(ids)) as threads:
            answers = [threads.submit(intake.take, "web", [view(ids[0])], NOW)]
            self._reached.wait(60)
            answers += [threads.submit(intake.take, "web", [view(id_)], NOW) for id_ in ids[1:]]
            elapsed = stopwatch()
            while len(intake._waiting) < len(ids) - 1 and elapsed() < 60:
                pause(0.001)
            self._open.set()
        return answers


def view(id_: str) -> Event:
    call = {"type": "page", "userId": id_, "messageId": id_}
    return read_event(call, received_at=NOW)


def kept(space: Workspace) -> set[str]:
    return set(Row.objects.using(space.ledger).values_list("message_id", flat=True))


def test_what_comes_meanwhile_is_written_together(
    space: Workspace, intake: LedgerIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Door(monkeypatch, LedgerError("no"))
    assert [a.result() for a in door.let_in(intake, "1", "2", "3")] == [frozenset()] * 3
    assert [sorted(group) for group in door.groups] == [["1"], ["2", "3"]]
    assert kept(space) == {"1", "2", "3"}


def test_each_batch_hears_only_of_its_own_erased_people(
    space: Workspace, intake: LedgerIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    space.book.erase("2", NOW)
    answers = Door(monkeypatch, LedgerError("no")).let_in(intake, "1", "2", "3")
    assert [a.result() for a in answers] == [frozenset(), {"2"}, frozenset()]


@pytest.mark.parametrize("failure", [LedgerError("busy"), ZeroDivisionError()])
def test_a_refused_batch_takes_no_other_down(
    space: Workspace,
    intake: LedgerIntake,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
) -> None:
    answers = Door(monkeypatch, failure).let_in(intake, "1", REFUSED, "3")
    assert [a.exception() for a in answers] == [None, failure, None]
    assert kept(space) == {"1", "3"}


def test_a_database_that_is_busy_is_waited_for_once(
    intake: LedgerIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Door(monkeypatch, BusyError("another process is writing"))
    answers = door.let_in(intake, "1", REFUSED, "3")
    assert [type(a.exception()) for a in answers] == [type(None), BusyError, BusyError]
    assert len(door.groups) == 2


@pytest.mark.long
def test_an_intake_is_let_go_wherever_garbage_is_collected(space: Workspace) -> None:
    """Also in a thread that is just handing work to an executor, and holds its lock."""
    intake = LedgerIntake(space)
    intake.take("web", [view("1")], NOW)
    known = [one for one in enumerate_threads() if one.name == "intake"]
    letting_go = Thread(target=_let_go_under_lock, args=([intake],), daemon=True)
    del intake
    letting_go.start()
    letting_go.join(60)
    assert not letting_go.is_alive()
    known[-1].join(60)
    assert not known[-1].is_alive()


def _let_go_under_lock(holder: list[LedgerIntake]) -> None:
    with _global_shutdown_lock:
        holder.clear()
        gc.collect()
