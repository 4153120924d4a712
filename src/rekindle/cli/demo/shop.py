"""The first act: the whole loop on a year of a real shop's orders."""

from __future__ import annotations

import re
from pathlib import Path

from rekindle.cli.demo.showing import Show, near
from rekindle.errors import UsageError

# By day: at night, on the clock of the person it is for, nothing leaves.
MORNING = "2010-12-10T10:00+00:00"
NOBODYS = 'postal_address = ""'
MADE_UP = 'postal_address = "1 Example Street, London"'
RECIPIENT = re.compile(rb"^To:.*customer-(\d+)@example\.com", re.MULTILINE)


class ShopAct:
    """A shop's orders, from the file to the first messages."""

    def __init__(self, show: Show, directory: Path) -> None:
        self._show, self._directory = show, directory

    def import_shop(self, orders: Path) -> None:
        """Make the workspace: a year of orders, and cards for those who gave them."""
        from rekindle.desk import write_cards

        cards = self._directory / "customers.csv"
        self._show.say(
            "1. A year of a British gift wholesaler's orders",
            "Daqing Chen, Online Retail II, UCI Machine Learning Repository, CC BY 4.0. It has no "
            "addresses: the demo makes some up under example.com, which reaches nobody.",
        )
        write_cards(orders, cards)
        shop = ("--name", "Gift Shop", "--timezone", "Europe/London", "--currency", "GBP")
        files = ("--orders", near(orders), "--customers", str(cards))
        self._show.run("init", str(self._directory), *files, *shop, "--yes")
        settings = self._directory / "rekindle.toml"
        give_address(settings)
        self._show.tell(
            f"Every message has to carry a postal address: one was made up in {settings}."
        )

    def ask(self) -> None:
        """Ask about the people, and replay the starter journey over their history."""
        reports = self._directory / "reports"
        self._show.say("2. Who drifted away, and what were they worth?")
        self._show.run("audit", *self._here, "--html", str(reports / "audit.html"))
        self._show.say("3. Any question about the customers is an audience")
        lapsed = "tier = 'lapsed' and lifetime_value > 500"
        self._show.run("audience", lapsed, *self._here, "--sample", "5")
        self._show.say(
            "4. The starter journey, replayed over history before a single message leaves",
            "Nobody in this data was ever contacted, so the true lift is zero; the report has to "
            "say so.",
        )
        year = ("--from", "2010-03-01", "--to", "2010-12-09")
        page = str(reports / "replay.html")
        self._show.run("replay", "lapsed-buyers", *self._here, *year, "--html", page)

    def go_live(self) -> None:
        """Start the journey, send its first messages to a folder, and say why one was sent."""
        self._show.say("5. Live, on the morning after the last day; mail goes to a folder")
        at = (*self._here, "--as-of", MORNING)
        self._show.run("start", "lapsed-buyers", *at, "--yes")
        self._show.run("tick", *at)
        page = str(self._directory / "reports" / "live.html")
        self._show.run("report", "lapsed-buyers", *at, "--html", page)
        customer = _first_recipient(self._directory / "state" / "outbox")
        self._show.say(f"6. Why did customer {customer} get a message?")
        self._show.run("explain", customer, *at)

    @property
    def _here(self) -> tuple[str, str]:
        return "-C", str(self._directory)


def give_address(settings: Path) -> None:
    """Write a made-up postal address into the settings of a new workspace."""
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace(NOBODYS, MADE_UP, 1), encoding="utf-8")


def _first_recipient(outbox: Path) -> str:
    for path in sorted(outbox.rglob("*.eml")):
        if found := RECIPIENT.search(path.read_bytes()):
            return found[1].decode()
    raise UsageError(f"no message was written to {outbox}")
