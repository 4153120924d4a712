"""The workspace: a folder opened, with everything in it wired together.

The only place that knows which concrete store, engine and outlet stand behind the rooms'
interfaces. It is also the Python API: ``rekindle.open(DIR)`` returns one. What a question
does not need is not loaded: counting an audience does not wait for the ledger.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import ibis.expr.types as ir

from rekindle.channels import find_capabilities, find_channel, find_costs, require_ready
from rekindle.clock import Clock, SystemClock
from rekindle.config import FILE_NAME, Config, SourceSettings, load_config
from rekindle.errors import WorkspaceError
from rekindle.facts import (
    Engine,
    Facts,
    FactsPlace,
    FileImport,
    Progress,
    Reading,
    Readings,
    find_present,
    import_sources,
    list_quarantine,
    open_engine,
    read_at,
)
from rekindle.gate import BookRules, HouseRules, build_book_rules, build_rules
from rekindle.journeys import Journey, find_journey
from rekindle.messages import Capabilities, Surroundings
from rekindle.offers import Offers, read_offers
from rekindle.profiles import build_profiles
from rekindle.vocabulary import Channel

if TYPE_CHECKING:
    from rekindle.insights import Audit
    from rekindle.ledger import AuditLog, History, Inbox, LedgerBook, Outbox


class Workspace:
    """A folder with ``rekindle.toml``, journeys and templates, and its state."""

    def __init__(self, directory: Path, config: Config, clock: Clock) -> None:
        self.directory = directory
        self.config = config
        self.clock = clock
        self._readings = Readings(self._open_engine)
        self._secret = b""
        self._is_sealed = False

    @classmethod
    def open(cls, directory: str | Path = ".", *, clock: Clock | None = None) -> Workspace:
        """Return the workspace in ``directory``.

        Raises:
            WorkspaceError: no workspace there, or one a newer version wrote.
            ConfigError: its ``rekindle.toml`` cannot be used.
        """
        folder = Path(directory).resolve()
        if not (folder / FILE_NAME).is_file():
            raise WorkspaceError(
                f"{folder} is no workspace: it holds no {FILE_NAME}; "
                "`rekindle init DIR --orders FILE` makes one, `-C DIR` names one"
            )
        return cls(folder, load_config(folder), clock or SystemClock())

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone of the business."""
        return ZoneInfo(self.config.workspace.timezone)

    @property
    def secret(self) -> bytes:
        """Return the key that signs links and hashes addresses, made at first use.

        Raises:
            ConfigError: it is lost, empty, or not the one the ledger was written with.
        """
        from rekindle.ledger import open_seal, require_secret

        if not self._is_sealed and self.has_ledger:
            self._secret = open_seal(self.ledger, self.directory, self.clock.now())
            self._is_sealed = True
        return self._secret if self._is_sealed else require_secret(self.directory)

    # Facts and profiles

    def import_facts(
        self, *, only: tuple[str, ...] = (), progress: Progress = lambda text: None
    ) -> list[FileImport]:
        """Import the configured sources, and what was reported since; return each file's gift.

        With ``only``, those sources and nothing else.

        Raises:
            SourceError: a source cannot be read; nothing has changed then.
        """
        if not self.config.sources and (reported := self.import_reports()):
            return reported
        found = self.import_from(self.config.sources, only=only, progress=progress)
        return found if only else found + self.import_reports()

    def import_reports(self) -> list[FileImport]:
        """Bring everything reported so far into the lake; return what each file gave.

        Killed at any moment, it goes on where it stopped: what is imported twice is there
        once.

        Raises:
            BusyError: another import is running.
        """
        found: list[FileImport] = []
        if not self.has_ledger:
            return found
        while True:
            with self._spooled_sources() as sources:
                if not sources:
                    break
                found += self.import_from(sources)
        self.forget_erased()
        return found

    def forget_erased(self) -> int:
        """Take out of the lake who the people were who were erased, and what they did.

        An import that read their reports before the erasure may write them after it.

        Raises:
            BusyError: an import is running.
        """
        from rekindle.ledger import forget_facts_of_erased

        if self.config.facts.warehouse is not None:
            return 0
        if removed := forget_facts_of_erased(
            self.ledger, self._place.lake, self.book, self.clock.now()
        ):
            self.forget_facts()
        return removed

    def _spooled_sources(self) -> AbstractContextManager[tuple[SourceSettings, ...]]:
        from rekindle.ledger import spooled_sources

        lake, currency, now = self._place.lake, self.config.workspace.currency, self.clock.now
        return spooled_sources(self._inbox, self.directory, lake=lake, currency=currency, now=now)

    @property
    def _inbox(self) -> Inbox:
        from rekindle.ledger import Inbox

        return Inbox(self.ledger, self.book)

    def import_from(
        self,
        sources: tuple[SourceSettings, ...],
        *,
        only: tuple[str, ...] = (),
        progress: Progress = lambda text: None,
    ) -> list[FileImport]:
        """Import these sources instead of the configured ones.

        Raises:
            SourceError: a source cannot be read; nothing has changed then.
        """
        config = self.config.model_copy(update={"sources": sources})
        found = import_sources(
            config,
            self.directory,
            now=self.clock.now(),
            progress=progress,
            only=only,
            is_in_charge=not self.has_ledger,
            read_again=self._inbox.spool_everything if self.has_ledger else None,
        )
        if told := self.settle_persons():
            found[-1] = replace(found[-1], notes=(*found[-1].notes, *told))
        self.forget_facts()
        return found

    def settle_persons(self) -> tuple[str, ...]:
        """Let the ledger's persons be as the facts' evidence says; return what is to be told."""
        if not self.has_ledger:
            return ()
        from rekindle.ledger import adopt_persons, settle_persons

        if self.config.facts.warehouse is not None:
            return adopt_persons(self.book.persons, self.engine, self.clock.now())
        before = self.book.persons.version()
        told = settle_persons(self.book.persons, self._place.lake, self.clock.now())
        if self.book.persons.version() != before:
            self.forget_facts()  # its orders and cards went by other persons
        return told

    def quarantine(self) -> list[dict[str, Any]]:
        """Return the rows that broke a contract, with file, line, reason and detail."""
        return list_quarantine(self.reading)

    @property
    def reading(self) -> Reading:
        """Return the engine that holds the facts, and its tables.

        Raises:
            WorkspaceError: nothing was imported yet.
        """
        return self._readings.take()

    @property
    def engine(self) -> Engine:
        """Return the engine that holds the facts.

        Raises:
            WorkspaceError: nothing was imported yet.
        """
        return self.reading.engine

    @property
    def facts(self) -> Facts:
        """Return the facts as Ibis tables."""
        return self.reading.facts

    def facts_version(self, *tables: str) -> str:
        """Return a word that changes when the facts (in these tables) do, or whom they are of."""
        version = self._place.version(self.clock.now(), *tables)
        if not self.has_ledger or self._place.warehouse is not None:
            return version
        return f"{version} {self.book.persons.version()}"

    def forget_facts(self) -> None:
        """Let go of the engine, so that the next question sees the newest import."""
        self._readings.forget()

    def _open_engine(self) -> Engine:
        place = self._place
        if place.warehouse is None and not place.lake.versions():
            raise WorkspaceError(
                f"{self.directory} holds no facts yet; run `rekindle import` "
                "(add a [[sources]] block to rekindle.toml first if there is none)"
            )
        engine = open_engine(place, self.config.facts.engine)
        if self.has_ledger and place.warehouse is None:
            from rekindle.ledger import read_persons

            if (persons := read_persons(self.book.persons, place.lake)) is not None:
                engine.know_persons(persons)
        return engine

    @property
    def has_facts(self) -> bool:
        """Return whether anything was imported, or stands in a warehouse."""
        return self._place.warehouse is not None or bool(self._place.lake.versions())

    @property
    def _place(self) -> FactsPlace:
        """Return where the facts are."""
        return FactsPlace.of(self.config, self.directory)

    def profiles(self, as_of: datetime | None = None, *columns: str) -> ir.Table:
        """Return who each customer is at ``as_of`` (default now), in all columns or in these."""
        at = as_of or self.clock.now()
        facts = self.reading_at(at).facts
        return build_profiles(facts, at, self.config.lifecycle, columns=columns or None)

    def reading_at(self, at: datetime) -> Reading:
        """Return the reading that answers a question of ``at``."""
        return read_at(self.reading, at, self.clock.now(), self.zone)

    def latest(self) -> datetime:
        """Return now, or the end of the last day with an order if the facts are old."""
        return find_present(self.reading, self.clock.now(), self.zone)

    def audit(self, as_of: datetime | None = None, definition: str = "ours") -> Audit:
        """Return who drifted away, what they are worth and what could be proven."""
        from rekindle.insights import build_audit, with_past_sends

        as_of = as_of or self.latest()
        engine, facts = self.reading_at(as_of)
        contacted = self.history.contacted(as_of) if self.has_ledger else ()
        audit = build_audit(
            facts,
            engine.run,
            as_of=as_of,
            settings=self.config.lifecycle,
            definition=definition,
            not_worth=self.config.subscriptions.not_worth,
            contacted=contacted,
        )
        return with_past_sends(audit, facts, engine.run, rules=self.rules, contacted=contacted)

    # The ledger

    @property
    def has_ledger(self) -> bool:
        """Return whether there may be anything in the ledger."""
        scheme, _, path = self.config.ledger.url.partition(":///")
        return scheme != "sqlite" or (self.directory / path).is_file()

    @cached_property
    def ledger(self) -> str:
        """Return the alias of the connected and migrated ledger.

        Raises:
            LedgerError: it cannot be reached, or was moved to another place.
        """
        from rekindle.ledger import connect, migrate, require_home

        (self.directory / "state").mkdir(exist_ok=True)
        alias = connect(self.config.ledger.url, base=self.directory)
        require_home(alias)
        migrate(alias)
        return alias

    @cached_property
    def book(self) -> LedgerBook:
        """Return the engine's book."""
        from rekindle.ledger import LedgerBook

        return LedgerBook(self.ledger, secret=self.secret, terms=self.terms)

    @cached_property
    def outbox(self) -> Outbox:
        """Return the messages that are to leave."""
        from rekindle.ledger import Outbox

        return Outbox(self.ledger, terms=self.terms)

    @cached_property
    def history(self) -> History:
        """Return what was decided and sent."""
        from rekindle.ledger import History

        return History(self.ledger)

    @cached_property
    def audit_log(self) -> AuditLog:
        """Return the log of who did what and when."""
        from rekindle.ledger import AuditLog

        return AuditLog(self.ledger)

    @property
    def capabilities(self) -> dict[Channel, Capabilities]:
        """Return the channels there are, with what each can do as it is set up."""
        return find_capabilities(self.config)

    @property
    def terms(self) -> BookRules:
        """Return what every book has to know of what was decided here."""
        return build_book_rules(self.config, self.capabilities, offers=self.offers)

    @property
    def rules(self) -> HouseRules:
        """Return the rules of the house that every touch is held to."""
        return build_rules(self.config, self.capabilities, offers=self.offers)

    @cached_property
    def offers(self) -> Offers:
        """Return the offers and ladders of ``offers.yaml``, or why it cannot be used."""
        return read_offers(self.directory)

    def require_ready(self, channel: Channel) -> None:
        """Refuse to write through a channel whose settings lack what every message needs.

        Raises:
            ConfigError: it is not installed, or what is missing and what to do about it.
        """
        require_ready(find_channel(channel), self.config.channel(channel), self.surroundings)

    @property
    def surroundings(self) -> Surroundings:
        """Return what a channel has to know of this workspace to judge its own settings."""
        return Surroundings(self.config.portal.url, self.config.workspace.name)

    @property
    def cost(self) -> dict[Channel, int]:
        """Return what one message costs through each channel, in micros."""
        return find_costs(self.config)

    def journey(self, name: str) -> Journey:
        """Return the journey a file in ``journeys/`` holds, by its name or path.

        Raises:
            JourneyError: there is no such journey, or its file cannot be used.
        """
        return find_journey(self.directory / "journeys", name)
