"""From a journey to somebody's desk and back: list, take, done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.clock import MovableClock
from rekindle.config import SourceSettings
from rekindle.consent import ConsentRecord
from rekindle.desk import (
    Scaffold,
    create_workspace,
    erase_person,
    finish_task,
    list_tasks,
    postpone_task,
    start_journey,
    take_task,
)
from rekindle.errors import UsageError
from rekindle.journeys import Signal
from rekindle.ledger import Outcome, Tasks, disconnect, models
from rekindle.runtime import Workspace
from rekindle.vocabulary import Answer, Channel, Reason, SignalKind
from rekindle.worker import Worker
from tests.cli.commands import refused, rekindle
from tests.runtime.shops import NOW, add_section, set_key

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
JOURNEY = """\
journey: call
enter: {audience: orders_count >= 1}
goal: {on: order, within: 60 days}
holdout: none
steps:
  - send: {channel: task, template: call}
  - wait: {until: reply, at_most: 20 days}
  - send: {channel: email, template: check-in}
"""
TEXT = "---\ntitle: Call {{ name }}\n---\nBought {{ orders_count }} times. Ask, and listen.\n"


class Shop:
    """A shop of one customer, and somebody who calls."""

    def __init__(self, folder: Path, outlet: str = "task_queue", journey: str = JOURNEY) -> None:
        self.clock = MovableClock(NOW)
        _build(folder, outlet)
        (folder / "journeys" / "call.yaml").write_text(journey, encoding="utf-8")
        self.space = Workspace.open(folder, clock=self.clock)
        self.space.import_facts()
        self.worker = Worker(self.space)
        start_journey(self.space, self.space.journey("call"), self.clock.now())
        self.worker.tick()

    def word(self) -> tuple[Answer, Reason | None]:
        """Return what the gate says of the one task there is."""
        (task,) = list_tasks(self.space)
        return task.decision.answer, task.decision.reason


def _build(folder: Path, outlet: str) -> None:
    folder.mkdir()
    then = (NOW - 200 * DAY).isoformat()
    files = {
        "orders.csv": f"order_id,customer_id,ordered_at,gross\no1,ann,{then},50\n",
        "customers.csv": (
            "customer_id,email,phone,country,first_name,last_name\n"
            "ann,ann@example.com,+442079460018,GB,Ann,Lee\n"
        ),
    }
    sources = []
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
        columns = {column: column for column in text.partition("\n")[0].split(",")}
        table = name.removesuffix(".csv")
        sources.append(SourceSettings(name=table, table=table, path=name, columns=columns))
    create_workspace(folder, Scaffold("Shop", "GBP", "Europe/London", tuple(sources)))
    set_key(folder, "postal_address", '"1 High Street"')
    add_section(folder, f'[task]\noutlet = "{outlet}"\nopen_for = "10 days"\n')
    (folder / "templates" / "call.task.txt").write_text(TEXT, encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "shop")
    yield shop
    disconnect(shop.space.ledger)


def test_a_task_is_taken_done_and_heard_by_the_journey(shop: Shop) -> None:
    task = take_task(shop.space, "", who="bob")
    assert (task.entry.person, task.entry.step) == ("ann", "call")
    with pytest.raises(UsageError, match="no task may be done now"):
        take_task(shop.space, "", who="eve")
    (place,) = models.Place.objects.using(shop.space.ledger).all()
    assert place.due_at > shop.clock.now()
    finish_task(shop.space, task.entry.key[:8], Outcome.WILL_RETURN, who="bob", note="in spring")
    place.refresh_from_db()
    assert place.due_at <= shop.clock.now()
    assert list_tasks(shop.space) == []
    touch = models.Touch.objects.using(shop.space.ledger).get()
    assert touch.cost_micros == 5_000_000


@pytest.mark.long
def test_a_task_is_not_done_without_what_was_said(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (task,) = list_tasks(shop.space)
    key = task.entry.key

    def lose_power(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for owner, name in ((Tasks, "finish"), (type(shop.space.book), "record")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, lose_power)
            with pytest.raises(KeyboardInterrupt):
                finish_task(shop.space, key, Outcome.REACHED, who="bob", wants_no_more=True)
        assert [one.entry.key for one in list_tasks(shop.space)] == [key]
        assert shop.space.history.suppressions_of("ann") == []


@pytest.mark.long
def test_nobody_is_called_at_night_or_once_they_bought_or_said_no(shop: Shop) -> None:
    assert shop.word() == (Answer.SEND, None)
    shop.clock.move(14 * HOUR)
    assert shop.word() == (Answer.HOLD, Reason.QUIET_HOURS)
    with pytest.raises(UsageError, match="has to wait until"):
        take_task(shop.space, list_tasks(shop.space)[0].entry.key, who="bob")
    shop.clock.move(10 * HOUR)
    bought = Signal("ann", SignalKind.ORDER, shop.clock.now(), "order:1")
    shop.space.book.record([bought], shop.clock.now())
    assert shop.word() == (Answer.SKIP, Reason.EXIT_REACHED)
    with pytest.raises(UsageError, match="is over"):
        take_task(shop.space, list_tasks(shop.space)[0].entry.key, who="bob")


@pytest.mark.parametrize(
    "ago", [-timedelta(minutes=10), pytest.param(HOUR, marks=pytest.mark.long)]
)
def test_nobody_is_called_whose_purchase_is_imported_once_the_journey_is_over(
    tmp_path: Path, ago: timedelta
) -> None:
    """The task is the last step: the journey ends with it, and the task waits for days."""
    shop = Shop(tmp_path / "shop", journey=JOURNEY.partition("  - wait")[0])
    (entry,) = shop.space.history.enrolments_of("call")
    assert entry.ended_reason is Reason.FINISHED
    orders = shop.space.directory / "orders.csv"
    bought = f"o2,ann,{(NOW - ago).isoformat()},20\n"
    orders.write_text(orders.read_text(encoding="utf-8") + bought, encoding="utf-8")
    shop.clock.move(HOUR)
    shop.space.import_facts()
    shop.worker.tick()
    assert shop.word() == (Answer.SKIP, Reason.EXIT_REACHED)
    disconnect(shop.space.ledger)


@pytest.mark.long
def test_a_no_to_tasks_ends_it(shop: Shop) -> None:
    no = ConsentRecord("ann", Channel("task"), False, shop.clock.now(), "phone")
    shop.space.book.save_consent([no])
    assert shop.word() == (Answer.SKIP, Reason.NO_PERMISSION)


@pytest.mark.long
def test_who_wants_to_hear_no_more_has_opted_out(shop: Shop) -> None:
    task = take_task(shop.space, "", who="bob")
    key = task.entry.key
    finish_task(shop.space, key, Outcome.DECLINED, who="bob", wants_no_more=True)
    (entry,) = shop.space.history.enrolments_of("call")
    assert entry.ended_reason is Reason.OPT_OUT
    rows = models.Suppression.objects.using(shop.space.ledger)
    assert set(rows.values_list("channel", flat=True)) == {"*"}


@pytest.mark.long
def test_who_is_to_be_called_back_waits_until_then(shop: Shop) -> None:
    (task,) = list_tasks(shop.space)
    at = shop.clock.now()
    for wrong in (at - DAY, at + 11 * DAY):
        with pytest.raises(UsageError, match="call back between"):
            postpone_task(shop.space, task.entry.key, wrong, who="bob")
    postpone_task(shop.space, task.entry.key, at + 2 * DAY, who="bob", note="Ann Lee: Wednesday")
    assert shop.word() == (Answer.HOLD, Reason.WAITING)
    shop.clock.move(2 * DAY)
    assert shop.word() == (Answer.SEND, None)
    erase_person(shop.space, "ann", who="test")
    assert shop.word()[0] is Answer.SKIP
    assert "Lee" not in models.Task.objects.using(shop.space.ledger).get().note
    # Whoever called her before that may not write down what she said after it.
    with pytest.raises(UsageError, match="was erased: nothing is kept"):
        finish_task(shop.space, task.entry.key, Outcome.REACHED, who="bob", note="Ann Lee: no")
    with pytest.raises(UsageError, match="was erased: nothing is kept"):
        postpone_task(shop.space, task.entry.key, shop.clock.now() + DAY, who="bob", note="Lee")
    assert "Lee" not in models.Task.objects.using(shop.space.ledger).get().note
    kinds = [one.kind for one in shop.space.history.signals_of("ann")]
    assert SignalKind.REPLY not in kinds


@pytest.mark.long
def test_nothing_waits_for_ever(shop: Shop) -> None:
    shop.clock.move(10 * DAY)
    assert list_tasks(shop.space) == []


@pytest.mark.long
def test_the_commands_show_take_and_finish_a_task(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rekindle.runtime.workspace.SystemClock", lambda: shop.clock)
    place = ("-C", shop.space.directory)
    (task,) = rekindle("tasks", "list", "--json", *place).document["tasks"]
    assert (task["customer"], task["answer"], task["taken_by"]) == ("ann", "send", None)
    taken = rekindle("tasks", "take", "--by", "bob", *place)
    assert "Call Ann Lee" in taken.out
    assert "+442079460018" in taken.out
    assert "Bought 1 times. Ask, and listen." in taken.out
    (task,) = rekindle("tasks", "list", "--json", *place).document["tasks"]
    assert task["taken_by"] == "bob"
    assert "bob" in rekindle("tasks", "list", *place).out
    key = str(task["key"])[:10]
    assert "has the task" in refused("tasks", "take", key, "--by", "eve", *place)
    assert "--on 2026" in refused("tasks", "done", key, "call_back", "--by", "bob", *place)
    assert "call_back alone" in refused(
        "tasks", "done", key, "reached", "--on", "2024-09-05", *place
    )
    done = rekindle("tasks", "done", key, "declined", "--note", "too dear", "--by", "bob", *place)
    assert done.code == 0
    assert rekindle("tasks", "list", "--json", *place).document["tasks"] == []


@pytest.mark.long
def test_a_folder_asks_nobody(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop", outlet="task_folder")
    assert list_tasks(shop.space) == []
    (file,) = (tmp_path / "shop" / "state" / "tasks").iterdir()
    written = json.loads(file.read_text(encoding="utf-8"))
    assert written == {
        "title": "Call Ann Lee",
        "text": "Bought 1 times. Ask, and listen.",
        "person": "ann",
    }
    disconnect(shop.space.ledger)
