"""One journey over every way out: each step leaves by its own, a no to one spares the others."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from rekindle.clock import MovableClock
from rekindle.config import SourceSettings
from rekindle.consent import ConsentRecord
from rekindle.desk import Scaffold, build_plan, create_workspace, explain_customer, start_journey
from rekindle.ledger import disconnect
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, Reason
from rekindle.worker import Worker
from tests.runtime.shops import NOW, set_key

DAY = timedelta(days=1)
WAYS = ("email", "sms", "push", "webhook", "task")
FOLDERS = {"email": "outbox", "sms": "sms", "push": "push", "webhook": "webhook", "task": "tasks"}
WORDS = "You bought {{ orders_count }} times."
NOTE = f"---\ntitle: Hello\n---\n{WORDS}"
HEAD = """\
journey: every
enter: {audience: orders_count >= 1}
goal: {on: order, within: 90 days}
holdout: none
steps:
"""


def build(folder: Path) -> Workspace:
    """Make a shop of one customer, who agreed to everything but the webhook."""
    folder.mkdir()
    then = (NOW - 200 * DAY).isoformat()
    files = {
        "orders.csv": f"order_id,customer_id,ordered_at,gross\no1,ann,{then},50\n",
        "customers.csv": (
            "customer_id,email,phone,country,first_name\nann,ann@example.com,+442079460018,GB,Ann\n"
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
    steps = "  - wait: 8 days\n".join(
        f"  - send: {{channel: {way}, template: check-in}}\n" for way in WAYS
    )
    (folder / "journeys" / "every.yaml").write_text(HEAD + steps, encoding="utf-8")
    for way in WAYS[1:]:
        note = folder / "templates" / f"check-in.{way}.txt"
        note.write_text(WORDS if way == "sms" else NOTE, encoding="utf-8")
    space = Workspace.open(folder, clock=MovableClock(NOW))
    space.import_facts()
    said = [ConsentRecord("ann", Channel(way), way != "webhook", NOW - DAY, "form") for way in WAYS]
    space.book.save_consent(said)
    return space


def test_each_step_leaves_by_its_own_way_and_a_no_to_one_spares_the_others(tmp_path: Path) -> None:
    space = build(tmp_path / "shop")
    assert isinstance(space.clock, MovableClock)
    assert build_plan(space, space.journey("every"), NOW).people == 1
    start_journey(space, space.journey("every"), NOW)
    worker, left = Worker(space), []
    for _ in WAYS:
        worker.tick()
        left.append(
            {way for way in WAYS if list((space.directory / "state" / FOLDERS[way]).glob("*"))}
        )
        space.clock.move(8 * DAY + timedelta(minutes=1))
    reached = [way for way in WAYS if way != "webhook"]
    assert left[0] == {"email"}
    assert left[-1] == set(reached)
    found = explain_customer(space, "ann", space.clock.now())
    reasons = [one.reason for one in found.decisions if one.reason is not None]
    assert reasons.count(Reason.NO_PERMISSION) == 1
    (file,) = (space.directory / "state" / "push").glob("*.json")
    assert json.loads(file.read_text())["body"] == "You bought 1 times."
    (text,) = (space.directory / "state" / "sms").glob("*.txt")
    assert "You bought 1 times.\nReply STOP to opt out" in text.read_text()
    (entry,) = space.history.enrolments_of("every")
    assert entry.ended_reason is Reason.FINISHED
    disconnect(space.ledger)
