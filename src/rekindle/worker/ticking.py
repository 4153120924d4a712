"""One pass of the worker, and the worker that keeps passing.

A pass looks for returns, lets people enter, decides what is due and sends it. Each part
may be cut off at any instant; the next pass goes on from what was written down.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from rekindle.clock import pause, stopwatch
from rekindle.errors import BusyError, RekindleError, UsageError
from rekindle.journeys import JourneyEngine, TickReport
from rekindle.journeys.population import LiveAudience, save_people
from rekindle.ledger import (
    OutboxMessage,
    add_counts,
    load_overrules,
    mend,
    note_import,
    note_pass,
)
from rekindle.messages import Message
from rekindle.runtime import Workspace
from rekindle.worker.composing import Composer
from rekindle.worker.dispatching import DispatchReport, build_dispatcher, require_settings
from rekindle.worker.hearing import MeetingWatch, bring_notices
from rekindle.worker.keeping.access import AccessKeeper
from rekindle.worker.keeping.alerts import AlertKeeper
from rekindle.worker.keeping.belongings import BelongingsKeeper
from rekindle.worker.keeping.breaking import break_circuits
from rekindle.worker.keeping.expiring import announce_expiring
from rekindle.worker.keeping.hygiene import keep_clean
from rekindle.worker.keeping.instructing import InstructionKeeper
from rekindle.worker.keeping.lists import build_list_keeper
from rekindle.worker.keeping.moving import know_uplifts
from rekindle.worker.keeping.payments import PaymentWatch
from rekindle.worker.keeping.retrying import RetryKeeper
from rekindle.worker.keeping.scores import score_daily
from rekindle.worker.keeping.stocking import keep_stock
from rekindle.worker.keeping.stopping import know_worth
from rekindle.worker.marking import EVERY_SECONDS, Watermark
from rekindle.worker.redeeming import OfferWatch
from rekindle.worker.watching import FactsRead, ReturnWatch

NEVER = datetime(1970, 1, 1, tzinfo=UTC)

Composed = Mapping[str, Message | RekindleError]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass did."""

    returned: int
    decided: TickReport
    sent: DispatchReport

    @property
    def counts(self) -> Counter[tuple[str, ...]]:
        """Return what it adds to the figures that are watched from outside."""
        found: Counter[tuple[str, ...]] = Counter()
        found["returned",] = self.returned
        found["entered",] = self.decided.entered
        for (answer, reason), number in self.decided.decisions.items():
            found["decisions", answer.value, reason.value if reason else ""] += number
        for outcome, number in self.sent.outcomes.items():
            found["messages", outcome] += number
        return found


Read = Callable[[Workspace, datetime], str]
"""Takes the reading of a day once, as the desk does; returns what is to be told, "" for nothing."""


class Worker:
    """Runs passes over one workspace, and lets ``read`` take its figures once a day."""

    def __init__(self, workspace: Workspace, *, read: Read | None = None) -> None:
        self._workspace = workspace
        self._read = read
        self._audience = LiveAudience(workspace)
        self._mark = Watermark(workspace)
        self._returns = ReturnWatch(workspace)
        self._payments = PaymentWatch(workspace)
        self._offers = OfferWatch(workspace)
        self._alerts = AlertKeeper(workspace)
        self._access = AccessKeeper(workspace)
        self._instructions = InstructionKeeper(workspace)
        self._belongings = BelongingsKeeper(workspace)
        self._retries = RetryKeeper(workspace)
        self._meetings = MeetingWatch(workspace)
        self._saved: str | None = None
        self._noted: str | None = None
        self._imported_at = NEVER
        self._failed = 0
        self._is_waiting = False

    def tick(self, *, is_stopping: Callable[[], bool] = lambda: False) -> Pass:
        """Make one pass and return what it did.

        Raises:
            WorkError: the ledger is an older copy of the one that was used here.
        """
        space = self._workspace
        now = space.clock.now()
        self._mark.require_newest()
        self._access.tell(is_stopping=is_stopping)
        self._instructions.look_soon(is_stopping=is_stopping)
        self._import_reports(now)
        space.settle_persons()
        if told := score_daily(space, now):
            logger.info("scores: %s", told)
        # What is kept of people is facts too, and comes before their profiles.
        uplifts = know_uplifts(space, now)
        read = FactsRead.of(space)
        self._audience.profiles(now)
        self._save_people(now, read)
        returned = self._returns.look(now, read)
        self._payments.look(now, read)
        self._keep_belongings(now, read, is_stopping)
        self._retries.look_soon(is_stopping=is_stopping)
        self._keep_house(now)
        rules = self._offers.look(space.rules, now, read)
        if stocked := str(keep_stock(space, is_stopping=is_stopping)):
            logger.info("codes of offers: %s", stocked)
        if (period := space.book.note_holdout(now)) is not None:
            detail = {"share": period.share}
            space.audit_log.write("worker", "set the holdout of all", "*", detail, now)
            logger.info("the holdout of all marketing is %g from now on", period.share)
        overrules = tuple(load_overrules(space.ledger))
        rules = replace(know_worth(space, rules, now), uplifts=uplifts, overrules=overrules)
        engine = JourneyEngine(space.book, self._audience, rules=rules, cost=space.cost)
        break_circuits(space, now)
        decided = engine.tick(now)
        self._mark.note()
        sent = self._keep_lists(self._dispatch(is_stopping), is_stopping)
        self._mark.note(is_forced=bool(sent.outcomes))
        note_pass(space.ledger, space.clock.now())
        done = Pass(returned, decided, sent)
        passes = {("passes", "done"): 1, ("passes", "failed"): self._failed}
        add_counts(space.ledger, done.counts + Counter(passes), now)
        self._failed = 0
        self._alerts.look()
        # Last: to measure a large shop takes its time, and nobody's message waits for it.
        if self._read is not None and (told := self._read(space, now)):
            logger.info("targets: %s", told)
        return done

    def run(self, *, every_seconds: float, is_stopping: Callable[[], bool]) -> None:
        """Keep passing until told to stop; a failed pass is logged and tried again.

        Raises:
            ConfigError: what reaches people would leave with settings that it must not.
        """
        require_settings(self._workspace)
        try:
            self._pass_until(is_stopping, every_seconds)
        finally:
            self.finish()

    def _pass_until(self, is_stopping: Callable[[], bool], every_seconds: float) -> None:
        while not is_stopping():
            seconds = every_seconds
            try:
                if not self._has_facts():
                    pause(seconds, is_stopping=is_stopping)
                    continue
                done = self.tick(is_stopping=is_stopping)
                self._log(done)
                if done.sent.again_in is not None:  # a throttle grants more before that
                    seconds = min(seconds, done.sent.again_in.total_seconds())
            except UsageError:
                raise
            except RekindleError as error:
                logger.error("%s", error)
                self._mend(str(error))
            except Exception:
                logger.exception("this pass failed; the next one goes on where it stopped")
                self._mend("see the log")
            pause(seconds, is_stopping=is_stopping)

    def finish(self) -> None:
        """Wait until what a pass began beside itself is over."""
        self._instructions.finish()
        self._retries.finish()

    def _has_facts(self) -> bool:
        """Return whether there is anything to pass over; what was reported counts."""
        space = self._workspace
        now = space.clock.now()
        if not space.has_facts:
            self._mark.require_newest()
            self._import_reports(now)
        if space.has_facts:
            return True
        self._instructions.look_soon()
        if not self._is_waiting:
            logger.info("there are no facts yet; `rekindle import` brings them, and passes begin")
            self._is_waiting = True
        note_pass(space.ledger, now)
        return False

    def _keep_belongings(
        self, now: datetime, read: FactsRead, is_stopping: Callable[[], bool]
    ) -> None:
        """Follow who left and came back, and ask the business's system about what ends."""
        if changed := self._belongings.look(now, read):
            logger.info("belongings: %d changed", changed)
        if told := self._belongings.tell(is_stopping=is_stopping):
            logger.info("belongings: %d told", told)

    def _keep_house(self, now: datetime) -> None:
        """Do what is due once a day: who is silent, and whose permission runs out."""
        announce_expiring(self._workspace, now)
        if (kept := keep_clean(self._workspace, now)) is not None:
            told = ", ".join(f"{what} {count}" for what, count in kept.counts.items())
            logger.info("hygiene: %s", told)
            self._alerts.note("hygiene", f"hygiene: {told}")

    def _save_people(self, now: datetime, read: FactsRead) -> None:
        """Carry cards and consent into the ledger where the facts say something new of them."""
        space = self._workspace
        if read.of_people != self._saved:
            save_people(*space.reading, space.book, now)
            self._saved = read.of_people
        if read.every != self._noted:
            self._note_import()
            self._noted = read.every

    def _note_import(self) -> None:
        """Write down of when the facts are that everything is decided by from now on."""
        engine, facts = self._workspace.reading
        imports = (facts.bookkeeping or {}).get("imports")
        at = None if imports is None else engine.scalar(imports.imported_at.max())
        if at is not None:
            note_import(self._workspace.ledger, at)

    def _mend(self, why: str) -> None:
        """Let go of a connection that the database ended, so that the next pass opens one."""
        self._failed += 1
        try:
            mend(self._workspace.ledger)
        except RekindleError as error:
            logger.error("%s", error)
        self._alerts.look(failed=self._failed, error=why)

    def _import_reports(self, now: datetime) -> None:
        """Bring what was reported into the lake, where it is time and there is a lake.

        It is time, too, where it may join two persons: nothing is decided about them apart.
        """
        space = self._workspace
        is_time = now - self._imported_at >= space.config.api.import_every
        if space.config.facts.warehouse is not None:
            return
        if not self._meetings.is_awaited() and not is_time:
            return
        self._imported_at = now
        try:
            space.import_reports()
            self._meetings.note()
            bring_notices(space)
        except BusyError:
            logger.info("an import is running; what was reported waits for the next")
        except RekindleError as error:  # what it ends was ended when it was taken
            logger.error("what was reported cannot be imported yet: %s", error)

    def _dispatch(self, is_stopping: Callable[[], bool]) -> DispatchReport:
        composer = Composer(self._workspace, self._audience)

        def compose(messages: Sequence[OutboxMessage]) -> Composed:
            # They are about to leave: a copy of the ledger made before now is an older one.
            self._mark.note(is_forced=True)
            return composer.compose(messages)

        dispatcher = build_dispatcher(self._workspace, compose, self._audience)

        beaten = stopwatch()

        def is_over() -> bool:
            nonlocal beaten
            self._mark.note_at_times()
            if beaten() >= EVERY_SECONDS:  # a pass may send for hours, and is at work
                note_pass(self._workspace.ledger, self._workspace.clock.now())
                beaten = stopwatch()
            return is_stopping()

        return dispatcher.run(is_stopping=is_over)

    def _keep_lists(self, sent: DispatchReport, is_stopping: Callable[[], bool]) -> DispatchReport:
        """Tell those who keep lists whom to put on them and take off; add what was in the way."""
        keeper = build_list_keeper(self._workspace)
        if done := keeper.run(is_stopping=is_stopping):
            told = ", ".join(f"{what} {count}" for what, count in sorted(done.items()))
            logger.info("lists: %s", told)
        troubles = filter(None, (sent.trouble, *keeper.troubles))
        return replace(sent, trouble="; ".join(troubles))

    def _log(self, done: Pass) -> None:
        for journey, why in done.decided.closed.items():
            logger.error("nobody can enter %s: %s", journey, why)
        if done.returned or done.decided.entered or done.decided.decisions or done.sent.outcomes:
            logger.info(
                "%d came back, %d entered, %d decided, %d sent",
                done.returned,
                done.decided.entered,
                sum(done.decided.decisions.values()),
                done.sent.accepted,
                extra={"about": {"/".join(name): count for name, count in done.counts.items()}},
            )
        if done.sent.trouble:
            logger.error("delivery: %s", done.sent.trouble)
