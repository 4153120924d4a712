"""A shop of two customers who agreed to ads, and whoever keeps its lists."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from rekindle.clock import MovableClock
from rekindle.config import SourceSettings
from rekindle.consent import ConsentRecord
from rekindle.desk import Scaffold, create_workspace, start_journey
from rekindle.journeys import Signal, order_signal
from rekindle.ledger import disconnect, models
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, SignalKind
from rekindle.worker import Worker
from tests.runtime.shops import NOW, add_section, set_key

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
AUDIENCE = Channel("audience")
JOURNEY = """\
journey: ads
enter: {audience: orders_count >= 1}
goal: {on: order, within: 30 days}
reenter: after 40 days
holdout: none
steps:
  - send: {channel: audience, destination: lapsed}
"""
PEOPLE = {"ann": "Ann.Lee@Example.com", "bob": "bob@example.com"}


class Shop:
    """The shop, its clock and its worker."""

    def __init__(self, folder: Path, section: str = "", journey: str = JOURNEY) -> None:
        self.folder, self.clock = folder, MovableClock(NOW)
        _build(folder, section, journey)
        self.open()
        self.space.import_facts()
        self.space.book.save_consent(
            ConsentRecord(one, AUDIENCE, True, NOW - DAY, "form") for one in PEOPLE
        )

    def open(self) -> None:
        """Begin as a new process would."""
        self.space = Workspace.open(self.folder, clock=self.clock)
        self.worker = Worker(self.space)

    def close(self) -> None:
        """Let go of the ledger."""
        disconnect(self.space.ledger)

    def start(self, journey: str = "ads") -> None:
        """Start the journey and make a pass."""
        start_journey(self.space, self.space.journey(journey), self.clock.now())
        self.worker.tick()

    def later(self, span: timedelta) -> None:
        """Let time pass, and make a pass."""
        self.clock.move(span)
        self.worker.tick()

    def buy(self, person: str) -> None:
        """Let somebody buy, as the next import tells."""
        at = self.clock.now()
        path = self.folder / "orders.csv"
        line = f"o-{at:%d%H%M}-{person},{person},{at.isoformat()},50\n"
        path.write_text(path.read_text() + line)
        self.space.import_facts()

    def record(self, person: str, kind: SignalKind, channel: Channel | None = None) -> None:
        """Let something be recorded of somebody now."""
        at = self.clock.now()
        if kind is SignalKind.ORDER:
            signal = order_signal(person, at, "shop", f"o-{at:%d%H%M}-{person}")
        else:
            signal = Signal(person, kind, at, f"{kind}-{person}-{at}", channel=channel)
        self.space.book.record([signal], at)

    def stays(self, person: str = "ann") -> list[models.Stay]:
        """Return somebody's stays, the oldest first."""
        return list(
            models.Stay.objects.using(self.space.ledger).filter(person=person).order_by("pk")
        )

    def members(self, name: str = "lapsed") -> set[str]:
        """Return who stands in the file of a list."""
        path = self.folder / "state" / "audiences" / name / "members.csv"
        return set(path.read_text().split()[1:]) if path.exists() else set()


def _build(folder: Path, section: str, journey: str) -> None:
    folder.mkdir()
    then = (NOW - 200 * DAY).isoformat()
    orders = "".join(f"o-{one},{one},{then},50\n" for one in PEOPLE)
    cards = "".join(f"{one},{address},GB\n" for one, address in PEOPLE.items())
    files = {
        "orders.csv": f"order_id,customer_id,ordered_at,gross\n{orders}",
        "customers.csv": f"customer_id,email,country\n{cards}",
    }
    sources = []
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
        columns = {column: column for column in text.partition("\n")[0].split(",")}
        table = name.removesuffix(".csv")
        sources.append(SourceSettings(name=table, table=table, path=name, columns=columns))
    create_workspace(folder, Scaffold("Shop", "GBP", "Europe/London", tuple(sources)))
    set_key(folder, "postal_address", '"1 High Street"')
    if section:
        add_section(folder, section)
    name = journey.partition("\n")[0].removeprefix("journey: ")
    (folder / "journeys" / f"{name}.yaml").write_text(journey, encoding="utf-8")
