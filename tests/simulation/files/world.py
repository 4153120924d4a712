"""A world of files: a shop exports, the facts are imported, a worker works, mails leave.

The other worlds begin where people have one id and the book is told what happens. Here
people have several ids in two systems, cells are blanked and corrected, files come in any
order, the shop's website reports at once what its export says hours later, and the ledger
is now and then the one of a backup. What happened is kept beside it, by person, and each
mail is judged by that alone.
"""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from random import Random
from typing import Any

from django.db import connections

from rekindle.clock import MovableClock
from rekindle.desk import PreferenceChange, change_preferences, start_journey
from rekindle.errors import UsageError, WorkError
from rekindle.facts import PURCHASE
from rekindle.facts.purchases.standing import CANCELLED
from rekindle.intake import read_event
from rekindle.journeys.population import save_people
from rekindle.ledger import disconnect
from rekindle.runtime import Workspace
from rekindle.vocabulary import Reason
from rekindle.worker import LedgerIntake, Worker, accept_restored
from tests.simulation.files.beings import START, Being, Entry, Order, Stay
from tests.simulation.files.pages import OpenPage, open_page
from tests.simulation.files.texts import JOURNEY, SETTINGS, SOURCE, TEMPLATE
from tests.simulation.journal import broken

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOPS = (2 * HOUR, 7 * HOUR, 13 * HOUR, DAY, DAY, 2 * DAY)
CAP = DAY
NOBODY = ("", "n/a", "none", "-", "null")
STEPS = 14
ORDER_COLUMNS = ("order_id", "customer_id", "ordered_at", "gross", "status")
CARD_COLUMNS = ("customer_id", "email", "first_name", "email_consent", "email_consent_at")
STAY_COLUMNS = ("subscription_id", "customer_id", "amount", "interval", "started_at", "ended_at")
PAUSE_COLUMNS = ("subscription_id", "paused_at", "resumed_at")
SYSTEMS = ("shop", "till")
SUBJECT = re.compile(r"(one|two|three) for (\w+)")
PROMISES = (
    "never twice", "never after a return", "never after a no", "never above a cap",
    "never in a pause they asked for", "never while a subscription rests",
    "nobody returns by a correction", "noticed when restored",
    "the newest word on an order counts", "never on the word of a mistake",
    "an open page states nothing", "what has no date is known since it was first read",
    "a refund is of its sale",
)  # fmt: skip


class ShopWorld:
    """A seeded world in ``folder``; ``run`` raises ``BrokenPromiseError`` where one breaks."""

    def __init__(self, seed: int, folder: Path, *, ledger: str = "") -> None:
        self.draw = Random(f"shop/{seed}")
        self.folder = folder
        self.log: list[tuple[object, ...]] = []
        self.mails = 0
        self.clock = MovableClock(START)
        self._beings: list[Being] = []
        self._orders: list[Order] = []
        self._stays: list[Stay] = []
        self._nameless: list[tuple[str, dict[str, str]]] = []
        self._seen: set[str] = set()
        self._cancelled: dict[str, datetime] = {}
        self._reports = 0
        self._backup: Path | None = None
        self._pages: list[OpenPage] = []
        self._is_sqlite = not ledger
        self._lay_out(ledger)
        self.space = Workspace.open(folder, clock=self.clock)
        for number in range(self.draw.randint(4, 6)):
            self._appear(number)
        self._import()
        self.space.book  # noqa: B018 - the ledger exists from now on
        start_journey(self.space, self.space.journey("win"), self.clock.now())
        self._worker = Worker(self.space)

    def run(self, steps: int = STEPS) -> None:
        """Run the whole story."""
        try:
            for _ in range(steps):
                self.clock.move(self.draw.choice(HOPS))
                self.log.append(("now it is", self.clock.now()))
                for happen in self.draw.choices(HAPPENINGS, WEIGHTS, k=self.draw.randint(1, 3)):
                    happen(self)
                if self.draw.random() < 0.8:
                    self._import()
                self._work()
        finally:
            self.space.forget_facts()
            for alias in [one for one in connections.databases if one.startswith("ledger_")]:
                disconnect(alias)

    # What the files say

    def _lay_out(self, ledger: str) -> None:
        text = SETTINGS + (f'[ledger]\nurl = "{ledger}"\n' if ledger else "")
        kinds = {
            "orders": ORDER_COLUMNS, "customers": CARD_COLUMNS, "subscriptions": STAY_COLUMNS,
            "pauses": PAUSE_COLUMNS,
        }  # fmt: skip
        for system in SYSTEMS:
            for table, columns in kinds.items():
                lines = "\n".join(f'{name} = "{name}"' for name in columns)
                name = f"{table}-*" if table == "orders" else table
                text += SOURCE % (system, table, table, system, name, lines)
        (self.folder / "journeys").mkdir(parents=True)
        (self.folder / "templates").mkdir()
        (self.folder / "rekindle.toml").write_text(text, encoding="utf-8")
        (self.folder / "journeys" / "win.yaml").write_text(JOURNEY, encoding="utf-8")
        for name in ("one", "two", "three"):
            path = self.folder / "templates" / f"{name}.mjml"
            path.write_text(TEMPLATE % name, encoding="utf-8")

    def _appear(self, number: int) -> None:
        """Somebody is a customer from the beginning."""
        name = f"{'ABCDEFGH'[number]}{self.draw.choice(['da', 'ob', 'leo'])}{number}"
        being = Being(name, f"{name.lower()}@example.org")
        self._beings.append(being)
        self._give_id(being)
        now, past = self.clock.now(), self.draw.choice([90, 200, 400]) * DAY
        kind = self.draw.choice(["buyer", "buyer", "left", "subscriber"])
        if kind != "left":
            self._order(being, now - past)
        if kind != "buyer":
            stay = self._begin(being, now - past - 3 * DAY)
            stay.ended_at = now - 40 * DAY if kind == "left" else None
        self.log.append(("is a customer", being.name, kind))

    def _begin(self, being: Being, at: datetime) -> Stay:
        stay = Stay(f"s{len(self._stays)}", self.draw.choice(being.ids)[1], at)
        self._stays.append(stay)
        return stay

    def _give_id(self, being: Being) -> tuple[str, str]:
        system = self.draw.choice(SYSTEMS)
        given = (system, f"{system[0].upper()}{self.draw.randint(100, 9999)}")
        being.ids.append(given)
        return given

    def _order(self, being: Being, at: datetime, status: str = "completed") -> Order:
        order = Order(f"o{len(self._orders)}", self.draw.choice(being.ids)[1], at, status)
        self._orders.append(order)
        return order

    def _write_files(self) -> None:
        for system in SYSTEMS:
            initial = system[0].upper()
            cards = [
                {"customer_id": id_, "email": self._spelled(being), "first_name": being.name,
                 "email_consent": being.says, "email_consent_at": being.said_at}
                for being in self._beings
                for where, id_ in being.ids
                if where == system
            ]  # fmt: skip
            orders = [
                {"order_id": one.number, "customer_id": one.customer,
                 "ordered_at": one.at.isoformat(), "gross": "25", "status": one.status}
                for one in self._orders
                if one.customer.startswith(initial)
            ]  # fmt: skip
            # A till whose customers leave no address: their cells do not join them.
            cards.append({"customer_id": f"{initial}1", "email": "n/a", "first_name": ""})
            cards.append({"customer_id": f"{initial}2", "email": "n/a", "first_name": ""})
            orders.append({"order_id": f"{system}-0", "customer_id": f"{initial}1",
                           "ordered_at": (START - 300 * DAY).isoformat(), "gross": "9",
                           "status": "completed"})  # fmt: skip
            cards += [card for where, card in self._nameless if where == system]
            self.draw.shuffle(cards)
            self._write(f"{system}_customers.csv", CARD_COLUMNS, cards)
            self._keep_export(system)
            self._write(f"{system}_orders-99.csv", ORDER_COLUMNS, orders)
            self._write_stays(system, initial)

    def _write_stays(self, system: str, initial: str) -> None:
        old = Stay(f"{system}-s", f"{initial}1", START - 300 * DAY, ended_at=START - 200 * DAY)
        old.pauses = [(START - 290 * DAY, START - 280 * DAY)]
        own = [one for one in self._stays if one.customer.startswith(initial)]
        stays = [
            {"subscription_id": one.number, "customer_id": one.customer, "amount": "9",
             "interval": "month", "started_at": one.at.isoformat(),
             "ended_at": one.ended_at.isoformat() if one.ended_at else ""}
            for one in (*own, old)
        ]  # fmt: skip
        pauses = [
            {"subscription_id": one.number, "paused_at": since.isoformat(),
             "resumed_at": until.isoformat() if until else ""}
            for one in (*own, old)
            for since, until in one.pauses
        ]  # fmt: skip
        self._write(f"{system}_subscriptions.csv", STAY_COLUMNS, stays)
        self._write(f"{system}_pauses.csv", PAUSE_COLUMNS, pauses)

    def _keep_export(self, system: str) -> None:
        """Now and then leave the export of orders beside the next one, which tells them anew."""
        newest = self.folder / f"{system}_orders-99.csv"
        if newest.exists() and self.draw.random() < 0.2:
            number = len(list(self.folder.glob(f"{system}_orders-*.csv")))
            newest.rename(self.folder / f"{system}_orders-{number}.csv")
            self.log.append(("kept an export", system, number))

    def _spelled(self, being: Being) -> str:
        """Return the mailbox as one of the systems may write it."""
        return self.draw.choice([being.mailbox, being.mailbox.upper(), f" {being.mailbox}"])

    def _write(self, name: str, columns: Iterable[str], rows: list[dict[str, str]]) -> None:
        with (self.folder / name).open("w", newline="", encoding="utf-8") as file:
            (writer := csv.DictWriter(file, list(columns))).writeheader()
            writer.writerows(rows)

    def _import(self) -> None:
        """Import everything, in any order of the sources."""
        self._write_files()
        sources = list(self.space.config.sources)
        self.draw.shuffle(sources)
        self.log.append(("imported", *(source.name for source in sources)))
        self.space.import_from(tuple(sources))
        for order in (*self._orders, *self._stays):
            order.see()
        self._judge_orders()

    def _judge_orders(self) -> None:
        """Raise where an order that was called off is a purchase, or was since a later import."""
        orders = self.space.facts.orders
        ended = orders.filter(orders.kind == CANCELLED).select("order_id", "cancel_known_at")
        known = {row["order_id"]: row["cancel_known_at"] for row in ended.to_pyarrow().to_pylist()}
        for number, at in known.items():
            if self._cancelled.get(number, at) != at:
                raise broken("what has no date is known since it was first read", number)
        self._cancelled = known
        sold = orders.filter(orders.kind == PURCHASE).select("order_id")
        sold_now = set(self.space.engine.run(sold).column(0).to_pylist())
        for one in self._orders:
            if one.called_off is not None and one.number in sold_now:
                raise broken("the newest word on an order counts", f"{one}")
            if one.gave_back and one.is_purchase and one.number not in sold_now:
                raise broken("a refund is of its sale", f"{one}")

    # What the worker does

    def _work(self) -> None:
        at = self.clock.now()
        self._look_back()
        self._worker.tick()
        for name, step in self._new_mails():
            being = next(one for one in self._beings if one.name == name)
            self.log.append(("handed over", name, step, at))
            self._judge(being, step, at)
            being.handed[step] = at
        self._follow_entries()

    def _look_back(self) -> None:
        """Note who has bought by what was not known as they entered."""
        for being in self._beings:
            # An order that came in cancelled had been one until then.
            bought = {one.name for one in self._bought_by(being) if one.was_imported_as}
            for entry in being.entries.values():
                entry.has_bought_since |= not bought <= entry.imported

    def _follow_entries(self) -> None:
        """Note who entered, and raise where somebody left by a purchase that nobody made."""
        beings = {id_: being for being in self._beings for _, id_ in being.ids}
        for one in self.space.history.enrolments_of("win"):
            if (being := beings.get(one.person)) is None:
                continue  # of the till's customers without an address
            if (entry := being.entries.get(one.entered_at)) is None:
                known = self._purchases(being)
                entry = being.entries[one.entered_at] = Entry(
                    frozenset(order.name for order in known),
                    frozenset(order.name for order in known if not order.is_only_reported),
                    max(order.at for order in known),
                )
            if one.ended_reason is Reason.ORDER and not entry.has_bought_since:
                raise broken("nobody returns by a correction", f"{being.name}: {one}")

    def _new_mails(self) -> Iterator[tuple[str, str]]:
        for path in sorted((self.folder / "state" / "outbox").glob("*.eml")):
            if path.name in self._seen:
                continue
            self._seen.add(path.name)
            self.mails += 1
            mail = message_from_bytes(path.read_bytes(), policy=default)
            found = SUBJECT.search(mail["Subject"])
            assert found is not None, mail["Subject"]
            yield found[2], found[1]

    def _bought_by(self, being: Being) -> list[Order]:
        own = {id_ for _, id_ in being.ids}
        return [one for one in (*self._orders, *self._stays) if one.customer in own]

    def _purchases(self, being: Being) -> list[Order]:
        return [one for one in self._bought_by(being) if one.is_purchase]

    def _judge(self, being: Being, step: str, at: datetime) -> None:
        """Raise ``BrokenPromiseError`` if this mail should not have left."""
        if step in being.handed:
            raise broken("never twice", f"{being.name} got {step} at {being.handed[step]} and {at}")
        if being.has_said_no:
            raise broken("never after a no", f"{being.name} at {at}")
        if at < being.quiet_until:
            raise broken("never in a pause they asked for", f"{being.name} at {at}")
        entry = being.entries[max(being.entries)]
        for order in self._purchases(being):
            if order.name not in entry.known and order.at > entry.newest:
                raise broken("never after a return", f"{being.name} came back with {order}")
        own = self._stays_of(being)
        if any(stay.rests(at) for stay in own):
            raise broken("never while a subscription rests", f"{being.name} at {at}: {own}")
        if any(at - other < CAP for other in being.handed.values()):
            raise broken("never above a cap", f"{being.name} at {at}: {being.handed}")

    # What may happen

    def again(self) -> None:
        """Somebody checks out as a guest, and gets one more id with the same mailbox."""
        being = self.draw.choice(self._beings)
        self.log.append(("has one more id", being.name, self._give_id(being)))

    def relative(self) -> None:
        """Somebody of the same household uses the same mailbox."""
        being = self.draw.choice(self._beings)
        # By another initial than any other of the household: ids of one are taken for one person.
        initial = "ZYXWVUTSRQ"[sum(one.mailbox == being.mailbox for one in self._beings) - 1]
        name = f"{initial}{being.name.lower()}{len(self._beings)}"
        other = Being(name, being.mailbox)
        self._beings.append(other)
        self._give_id(other)
        self._order(other, self.clock.now() - 150 * DAY)
        self.log.append(("shares a mailbox", being.name, other.name))

    def buy(self) -> None:
        """Somebody buys under one of their ids; the export has it at once."""
        being = self.draw.choice(self._beings)
        order = self._order(being, self.clock.now() - HOUR)
        self.log.append(("bought", being.name, order))

    def buy_reported(self) -> None:
        """Somebody buys, and the website reports it before any export does."""
        being = self.draw.choice(self._beings)
        self._buy_reported(being, self.draw.choice(being.ids)[1])

    def _buy_reported(self, being: Being, id_: str) -> None:
        at = self.clock.now() - timedelta(minutes=1)
        order = Order(
            f"o{len(self._orders)}",
            id_,
            at,
            was_imported_as=(at, "completed"),
            is_only_reported=True,
        )
        self._orders.append(order)
        self.log.append(("bought on the website", being.name, order))
        properties = {"order_id": order.number, "revenue": 25}
        self._report(order.customer, "Order Completed", properties, order.at)

    def introduce(self) -> None:
        """Somebody signs up at the website with their mailbox, and buys under the new id.

        The website says both at once, in the order in which they were; no export does yet.
        """
        being = self.draw.choice(self._beings)
        _, id_ = self._give_id(being)
        traits = {"email": self._spelled(being), "firstName": being.name}
        self.log.append(("signed up", being.name, id_, traits))
        self._report(id_, "", traits, self.clock.now() - timedelta(minutes=2), "identify")
        if self.draw.random() < 0.7:
            self._buy_reported(being, id_)

    def subscribe(self) -> None:
        """Somebody who has no subscription begins one; an export says so, at once or later."""
        being = self.draw.choice(self._beings)
        ends = [one.ended_at for one in self._stays_of(being)]
        at = self.clock.now() - self.draw.choice([HOUR, DAY])
        if all(end is not None and end < at for end in ends):
            self.log.append(("subscribed", being.name, replace(self._begin(being, at))))

    def leave(self) -> None:
        """A subscription ends, in a pause or not."""
        if running := self._running():
            stay = self.draw.choice(running)
            stay.ended_at = max(stay.at + timedelta(minutes=1), self.clock.now() - HOUR)
            stay.pauses = [(since, until or stay.ended_at) for since, until in stay.pauses]
            self.log.append(("left", replace(stay)))

    def revive(self) -> None:
        """A former subscriber begins anew, and the system uses their old number."""
        at = self.clock.now() - HOUR
        told = [own for being in self._beings if (own := self._stays_of(being))]
        told = [own for own in told if all(one.is_told for one in own)]
        if over := [own for own in told if all(one.ended_at and one.ended_at < at for one in own)]:
            stay = self.draw.choice(self.draw.choice(over))
            stay.at, stay.ended_at, stay.turn = at, None, stay.turn + 1
            self.log.append(("began anew", replace(stay)))

    def restart(self) -> None:
        """The start of a subscription is corrected, also across the day somebody entered."""
        now = self.clock.now()
        # Two that overlap are one stay, which this world keeps out.
        only = [own for being in self._beings if len(own := self._stays_of(being)) == 1]
        if told := [stay for (stay,) in only if stay.is_told]:
            stay = self.draw.choice(told)
            ways = [stay.at - 9 * DAY, stay.at + 2 * DAY]
            if stay.ended_at is None:
                ways = [*ways, now - 3 * HOUR, now - 3 * HOUR]
            at = self.draw.choice(ways)
            stay.at = min(at, (stay.ended_at or now) - HOUR)
            self.log.append(("start corrected", replace(stay)))

    def pause(self) -> None:
        """A subscription rests, until a day that is known or for good."""
        if running := [one for one in self._running() if not one.pauses or one.pauses[-1][1]]:
            stay, now = self.draw.choice(running), self.clock.now()
            until = self.draw.choice([None, now + 2 * DAY, now + 5 * DAY])
            stay.pauses.append((now - self.draw.choice([HOUR, DAY]), until))
            self.log.append(("paused", replace(stay)))

    def resume(self) -> None:
        """A subscription that rests goes on."""
        now = self.clock.now()
        for stay in self._running():
            if stay.pauses and stay.pauses[-1][1] is None:
                stay.pauses[-1] = (stay.pauses[-1][0], now - timedelta(minutes=1))
                self.log.append(("goes on", replace(stay)))
                return

    def _running(self) -> list[Stay]:
        return [one for one in self._stays if one.ended_at is None and one.is_told]

    def _stays_of(self, being: Being) -> list[Stay]:
        own = {id_ for _, id_ in being.ids}
        return [one for one in self._stays if one.customer in own]

    def draft(self) -> None:
        """An order is exported before it is paid."""
        being = self.draw.choice(self._beings)
        order = self._order(being, self.clock.now() - 2 * HOUR, "cancelled")
        self.log.append(("drafted", being.name, order))

    def pay(self) -> None:
        """An order that was none becomes one."""
        drafts = [one for one in self._orders if one.status == "cancelled"]
        if drafts:
            order = self.draw.choice(drafts)
            order.status, order.at = "completed", self.clock.now() - HOUR
            self.log.append(("paid", order))

    def take_back(self) -> None:
        """The export has an order as cancelled, and says no day."""
        sold = [one for one in self._orders if one.is_purchase and one.status == "completed"]
        if sold:
            order = self.draw.choice(sold)
            order.status = "cancelled"
            self.log.append(("taken back", order))

    def give_back(self) -> None:
        """A part of an order comes back, in a file of its own that nobody takes away."""
        sold = [one for one in self._orders if one.was_imported_as == (one.at, "completed")]
        if sold:
            order, at = self.draw.choice(sold), self.clock.now() - timedelta(minutes=1)
            system = next(one for one in SYSTEMS if order.customer.startswith(one[0].upper()))
            number = 990 + len(list(self.folder.glob(f"{system}_orders-99?.csv")))
            row = (order.number, order.customer, at.isoformat(), "-5", "refunded")
            name = f"{system}_orders-{number}.csv"
            self._write(name, ORDER_COLUMNS, [dict(zip(ORDER_COLUMNS, row, strict=True))])
            order.gave_back = True
            self.log.append(("gave back", order, name))

    def redate(self) -> None:
        """The date of an order is corrected."""
        order = self.draw.choice(self._orders)
        order.at = self.draw.choice([order.at - 9 * DAY, self.clock.now() - 3 * HOUR])
        self.log.append(("redated", order))

    def call_off(self) -> None:
        """An order is called off on the website, of which the export never hears."""
        known = [
            one
            for one in self._orders
            if one.was_imported_as == (one.at, "completed") and not one.is_only_reported
        ]
        if known:
            order = self.draw.choice(known)
            at, told = self.clock.now() - timedelta(minutes=1), {"order_id": order.number}
            self._report(order.customer, "Order Cancelled", told, at)
            self.space.import_reports()
            order.call_off()
            self.log.append(("called off", order))

    def misread(self) -> None:
        """An export has somebody's yes of a later day than it was, until it is corrected."""
        being, now = self.draw.choice(self._beings), self.clock.now()
        if being.says != "yes":
            return
        wrong = now - timedelta(minutes=2)
        for at in (wrong, now - 90 * DAY):
            being.said_at = at.isoformat()
            self._import()
            save_people(*self.space.reading, self.space.book, now)
        said = self.space.history.consents_among([id_ for _, id_ in being.ids])
        if any(one.granted and one.at == wrong for one in said):
            raise broken("never on the word of a mistake", being.name)
        self.log.append(("a yes of a wrong day", being.name))

    def opt_out(self) -> None:
        """Somebody leaves the list under one of the ids that are known."""
        self._opt_out(self.draw.choice(self._beings))

    def _opt_out(self, being: Being) -> None:
        being.has_said_no = True
        id_ = self.draw.choice(being.ids)[1]
        self.log.append(("opted out", being.name, id_))
        self._report(id_, "Unsubscribed", {}, self.clock.now())

    def opt_out_first(self) -> None:
        """A visitor leaves the list, and then says which of the customers they are."""
        being = self.draw.choice(self._beings)
        being.has_said_no = True
        id_, visitor = self.draw.choice(being.ids)[1], f"visitor {self._reports}"
        self.log.append(("opted out as a visitor", being.name, id_))
        self._report(id_, "Unsubscribed", {}, self.clock.now(), visitor=visitor, is_named=False)
        self._report(id_, "", {}, self.clock.now(), "identify", visitor=visitor)

    def snooze(self) -> None:
        """Somebody asks to be left alone for some days, under an id that is on record."""
        being, now = self.draw.choice(self._beings), self.clock.now()
        until = max(being.quiet_until, now) + self.draw.choice([1, 3]) * DAY
        id_, wish = self.draw.choice(being.ids)[1], PreferenceChange(snooze=until - now)
        try:
            change_preferences(self.space, id_, wish, who="the world")
        except UsageError:
            return  # the ledger has nobody by this id yet
        being.quiet_until = until
        self.log.append(("asked for a pause", being.name, id_, until))

    def open_page(self) -> None:
        """Somebody opens their page of wishes, and leaves it open."""
        being = self.draw.choice(self._beings)
        if found := open_page(self.space, being, self.draw.choice(being.ids)[1]):
            self._pages.append(found)
            self.log.append(("opened the page", being.name, found.fields))

    def send_page(self) -> None:
        """A page that was open is sent as it was shown: that says nothing."""
        if self._pages:
            page = self._pages.pop(self.draw.randrange(len(self._pages)))
            if self.draw.random() < 0.5:  # by a link in a mail, say, with the page still open
                self._opt_out(page.being)
            ids = [id_ for _, id_ in page.being.ids]
            before = list(self.space.history.consents_among(ids))
            taken = page.send(self.space)
            self.log.append(("sent the page", page.being.name, taken))
            if list(self.space.history.consents_among(ids)) != before:
                raise broken("an open page states nothing", page.being.name)

    def say_no(self) -> None:
        """The export says no, with a time or without one."""
        being, now = self.draw.choice(self._beings), self.clock.now().isoformat()
        being.has_said_no = True
        if self.draw.random() < 0.4:  # in a row of the newsletter, which knows no customer number
            said = ("", self._spelled(being), "", "no", now)
            card = dict(zip(CARD_COLUMNS, said, strict=True))
            self._nameless.append((self.draw.choice(SYSTEMS), card))
        else:
            being.says, being.said_at = "no", self.draw.choice(["", now])
        self.log.append(("says no", being.name, being.says, being.said_at))
        self._import()

    def blank(self) -> None:
        """A cell of the export is emptied: that says nothing."""
        being = self.draw.choice(self._beings)
        being.says = being.said_at = ""
        self.log.append(("cell emptied", being.name))

    def back_up(self) -> None:
        """The ledger is copied."""
        if self._is_sqlite:
            self._backup = self.folder / "backup.sqlite3"
            self._copy(self.folder / "state" / "ledger.sqlite3", self._backup)
            self.log.append(("backed up",))

    def restore(self) -> None:
        """The copy is put back; nothing may leave until somebody accepts it.

        What was refused since is kept outside the ledger, and is refused again then.
        """
        if self._backup is None or not self._is_sqlite:
            return
        self._work()
        self._close_ledger()
        for path in (self.folder / "state").glob("ledger.sqlite3*"):
            path.unlink()
        self._copy(self._backup, self.folder / "state" / "ledger.sqlite3")
        self.space = Workspace.open(self.folder, clock=self.clock)
        self._worker = Worker(self.space)
        self.log.append(("restored",))
        try:
            self._worker.tick()
        except WorkError:
            accept_restored(self.space, who="the world")
        if list(self._new_mails()):
            raise broken("noticed when restored", "mails left on the word of an older ledger")
        self._backup = None

    def _report(
        self,
        user: str,
        event: str,
        said: dict[str, Any],
        at: datetime,
        kind: str = "track",
        *,
        visitor: str | None = None,
        is_named: bool = True,
    ) -> None:
        self._reports += 1
        call = {"type": kind, "event": event, "userId": user if is_named else None,
                "anonymousId": visitor,
                "messageId": f"m{self._reports}", "timestamp": at.isoformat(),
                "traits" if kind == "identify" else "properties": said}  # fmt: skip
        now = self.clock.now()
        system = "shop_orders" if user.startswith("S") else "till_orders"
        LedgerIntake(self.space).take(system, [read_event(call, received_at=now)], now)

    def _copy(self, source: Path, target: Path) -> None:
        target.unlink(missing_ok=True)
        with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
            one.backup(other)

    def _close_ledger(self) -> None:
        self.space.forget_facts()
        disconnect(self.space.ledger)


CHANCES = {
    ShopWorld.again: 6,
    ShopWorld.relative: 2,
    ShopWorld.buy: 4,
    ShopWorld.buy_reported: 3,
    ShopWorld.introduce: 4,
    ShopWorld.subscribe: 3,
    ShopWorld.leave: 2,
    ShopWorld.revive: 3,
    ShopWorld.restart: 5,
    ShopWorld.pause: 4,
    ShopWorld.resume: 2,
    ShopWorld.draft: 2,
    ShopWorld.pay: 3,
    ShopWorld.take_back: 3,
    ShopWorld.give_back: 3,
    ShopWorld.redate: 3,
    ShopWorld.call_off: 3,
    ShopWorld.misread: 2,
    ShopWorld.opt_out: 3,
    ShopWorld.opt_out_first: 2,
    ShopWorld.snooze: 3,
    ShopWorld.open_page: 4,
    ShopWorld.send_page: 4,
    ShopWorld.say_no: 2,
    ShopWorld.blank: 2,
    ShopWorld.back_up: 2,
    ShopWorld.restore: 2,
}
HAPPENINGS, WEIGHTS = tuple(CHANCES), tuple(CHANCES.values())
