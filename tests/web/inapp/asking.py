"""A shop of one customer with one in-app message, by the whole way: journey, pass, API."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from rekindle.clock import MovableClock
from rekindle.config import SourceSettings
from rekindle.desk import Scaffold, create_workspace, start_journey
from rekindle.ledger import disconnect
from rekindle.runtime import Workspace
from rekindle.worker import LedgerShowing, Worker
from tests.runtime.shops import NOW, add_section, set_key

DAY = timedelta(days=1)
SECRET = "a secret of the tests, long enough"
JOURNEY = """\
journey: hello
enter: {audience: orders_count >= 1}
goal: {on: order, within: 60 days}
holdout: none
stale_after: 10 days
steps:
  - send: {channel: inapp, template: hello}
  - wait: {until: click, at_most: 20 days}
  - send: {channel: email, template: check-in}
"""
TEXT = (
    "---\ntitle: Hello {{ first_name }}\nurl: https://shop.example/back\n---\nYour size is back.\n"
)


class Shop:
    """A shop whose one customer lives where no consent is asked for, as ``build`` left it."""

    def __init__(self, folder: Path) -> None:
        self.clock = MovableClock(NOW)
        self.space = Workspace.open(folder, clock=self.clock)
        self.showing = LedgerShowing(self.space)

    def title(self, user: str = "ann") -> str | None:
        """Return the title of what somebody is to see now."""
        found = self.showing.ask(user, "web")
        return None if found is None else found.parts["title"]


def build(folder: Path, outlet: str = "inapp_kept") -> None:
    """Make the shop, with its journey started and its first pass done."""
    _lay_out(folder, outlet)
    space = Workspace.open(folder, clock=MovableClock(NOW))
    space.import_facts()
    start_journey(space, space.journey("hello"), NOW)
    Worker(space).tick()
    disconnect(space.ledger)


def _lay_out(folder: Path, outlet: str) -> None:
    folder.mkdir()
    then = (NOW - 200 * DAY).isoformat()
    files = {
        "orders.csv": f"order_id,customer_id,ordered_at,gross\no1,ann,{then},50\n",
        "customers.csv": "customer_id,email,country,first_name\nann,ann@example.com,DE,Ann\n",
    }
    sources = []
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
        columns = {column: column for column in content.partition("\n")[0].split(",")}
        table = name.removesuffix(".csv")
        sources.append(SourceSettings(name=table, table=table, path=name, columns=columns))
    create_workspace(folder, Scaffold("Shop", "EUR", "Europe/Berlin", tuple(sources)))
    set_key(folder, "postal_address", '"1 High Street"')
    add_section(folder, f'[inapp]\noutlet = "{outlet}"\n')
    set_key(folder, "url", '"https://shop.example"')
    (folder / "journeys" / "hello.yaml").write_text(JOURNEY, encoding="utf-8")
    (folder / "templates" / "hello.inapp.txt").write_text(TEXT, encoding="utf-8")
