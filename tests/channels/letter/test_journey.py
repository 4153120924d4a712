"""A letter goes through the gate and the outbox to who has a postal address, and nobody else."""

from __future__ import annotations

from pathlib import Path

from rekindle.clock import MovableClock
from rekindle.config import SourceSettings
from rekindle.desk import Scaffold, create_workspace, start_journey
from rekindle.intake import read_event
from rekindle.ledger import Inbox, disconnect, models, ready_events
from rekindle.runtime import Workspace
from rekindle.worker import Worker
from tests.runtime.shops import DAY, NOW, add_section, set_key

JOURNEY = """\
journey: back
enter: {audience: orders_count >= 1}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send: {channel: letter, template: welcome}
"""
NOTE = "---\ntitle: Welcome back\n---\nDear {{ first_name }},\n\nsee {{ shop.url }}/new\n"


def test_who_has_a_home_gets_a_letter_and_who_said_no_or_has_none_does_not(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    rows = "".join(f"o{who},{who},{(NOW - 200 * DAY).isoformat()},50\n" for who in "abc")
    text = f"order_id,customer_id,ordered_at,gross\n{rows}"
    (folder / "orders.csv").write_text(text, encoding="utf-8")
    columns = {column: column for column in text.partition("\n")[0].split(",")}
    source = SourceSettings(name="orders", table="orders", path="orders.csv", columns=columns)
    create_workspace(folder, Scaffold("Shop", "GBP", "Europe/London", (source,)))
    set_key(folder, "postal_address", '"1 High Street"')
    set_key(folder, "url", '"https://shop.example"')
    add_section(folder, '[letter]\noutlet = "letter_folder"\n')
    (folder / "journeys" / "back.yaml").write_text(JOURNEY, encoding="utf-8")
    (folder / "templates" / "welcome.letter.txt").write_text(NOTE, encoding="utf-8")
    space = Workspace.open(folder, clock=MovableClock(NOW))
    try:
        space.import_facts()
        place = {"street": "1 Mill Lane", "city": "Leeds", "postalCode": "LS1 4AB"}
        calls = [
            {"userId": "a", "traits": {"firstName": "#Ann", "address": place}},
            {"userId": "b", "traits": {"address": place, "consent": {"letter": False}}},
        ]
        events = [read_event({"type": "identify", **one}, received_at=NOW) for one in calls]
        Inbox(space.ledger, space.book).take("shop", ready_events(space.ledger, events), NOW)
        start_journey(space, space.journey("back"), NOW)
        Worker(space).tick()
        (letter,) = (folder / "state" / "letters").glob("*.txt")
        written = letter.read_text(encoding="utf-8")
        assert "Dear #Ann,\n\nsee https://shop.example/new\n" in written
        answers = models.Decision.objects.using(space.ledger).exclude(reason=None)
        assert set(answers.values_list("reason", flat=True)) >= {"no_permission", "unreachable"}
    finally:
        disconnect(space.ledger)
