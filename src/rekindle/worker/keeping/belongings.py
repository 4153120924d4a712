"""Keeps the register of belongings: follows stays, warns, and asks the business's system.

What it is told of an end waits in the ledger until it was taken, by one id each, so a process
that dies tells it again and what it answered is recorded once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

import ibis

from rekindle.errors import DeliveryError, TemporaryDeliveryError
from rekindle.journeys import Signal
from rekindle.ledger import (
    BelongingsEntry,
    BelongingsRegister,
    KeptAnswer,
    LastStay,
    ledger_transaction,
)
from rekindle.runtime import Workspace
from rekindle.vocabulary import SignalKind
from rekindle.worker.keeping.access import open_teller
from rekindle.worker.watching import FactsRead

EVENT = "kept_ending"
LONGEST_DAYS = 3660
"""For how long at most the business's system may keep something longer."""
GONE = "gone"
MOST_LOOKS = 3
"""How often one look begins anew, where an import ends while it looks."""
STANDING = ("customer_id", "times_churned", "subscription_state", "churned_on", "subscribed_on")

logger = logging.getLogger(__name__)


class BelongingsKeeper:
    """The register of one workspace; nothing goes in while nothing is said to be kept.

    What was looked at lives as long as the process; a look is due again when the facts changed
    and on each local day.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._settings = workspace.config.subscriptions.kept
        self._register = BelongingsRegister(workspace.ledger)
        self._seen: tuple[str, date] | None = None
        timeout = workspace.config.billing.timeout_seconds
        self._teller, self.trouble = open_teller(self._settings.url, timeout_seconds=timeout)

    def look(self, at: datetime, read: FactsRead | None = None) -> int:
        """Let the register follow the facts, and announce what ends soon; return what changed.

        ``read`` is of before the workspace's reading; without it, and where an import ended
        since, the facts are read anew.
        """
        space = self._workspace
        today = at.astimezone(space.zone).date()
        for _ in range(MOST_LOOKS):
            state = ((read or FactsRead.of(space)).every, today)
            if state == self._seen:
                return 0
            if read is None:
                space.forget_facts()
            changed = self._follow(state[0], today, at)
            if changed is not None:
                self._seen = state
                return changed
            read = None
        logger.info("imports came faster than the register could follow; the next look will")
        return 0

    def _follow(self, version: str, today: date, at: datetime) -> int | None:
        """Let the register follow the facts of a version; None where they moved on meanwhile."""
        people = self._register.open_people()
        if not self._settings.what and not people:
            return 0
        changed = self._register.follow(
            self._stays(people, today, at),
            at,
            today=today,
            what=self._settings.what,
            days=self._settings.days,
            is_newest=lambda: self._workspace.facts_version() == version,
        )
        if changed is not None:
            self._announce(today, at)
        return changed

    def tell(self, *, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Ask the business's own system about what ends or ended; return how much it took."""
        count = 0
        while self._teller is not None and not is_stopping():
            now = self._workspace.clock.now()
            today = now.astimezone(self._workspace.zone).date()
            due = self._register.claim(now, today=today, days=self._settings.warning_days)
            # After the first that is not taken the others wait: a system that is away would
            # hold up a pass.
            if due is None or not self._tell_one(*due, today=today):
                break
            count += 1
        return count

    def _tell_one(self, one: BelongingsEntry, kind: str, *, today: date) -> bool:
        now = self._workspace.clock.now
        id_ = name_question(one, kind)
        data = {
            "customer": one.person,
            "what": list(one.what),
            "ended_on": one.ended_on.isoformat(),
            "kept_until": one.kept_until.isoformat(),
        }
        assert self._teller is not None
        try:
            answer = read_answer(self._teller.tell(id_, f"kept.{kind}", data, now()), id_, today)
        except DeliveryError as error:
            self._register.failed(one, str(error), now(), retry_after=error.retry_after)
            logger.warning("what is kept until %s was not told: %s", one.kept_until, error)
            return False
        self._register.told(one, kind, answer, now())
        return True

    def _stays(self, people: tuple[str, ...], today: date, at: datetime) -> list[LastStay]:
        """Return how those stand who left lately, and those of whom a row is open."""
        table = self._workspace.profiles(at, *STANDING)
        since = today - timedelta(days=self._settings.days)
        asked = table.churned_on >= ibis.date(since)
        if people:
            asked |= table.customer_id.isin(people)
        rows = self._workspace.engine.run(table.filter(asked))
        return [
            LastStay(
                row["customer_id"],
                row["times_churned"],
                row["subscription_state"] == GONE,
                row["churned_on"],
                row["subscribed_on"],
            )
            for row in rows.to_pylist()
        ]

    def _announce(self, today: date, at: datetime) -> None:
        """Let the event ``kept_ending`` begin for whose belongings are kept not much longer."""
        space = self._workspace
        with ledger_transaction(space.ledger):
            signals = [
                Signal(
                    one.person,
                    SignalKind.EVENT,
                    at,
                    f"{EVENT}:{one.person}:{one.number}:{one.kept_until}",
                    EVENT,
                )
                for one in self._register.warn(today, self._settings.warning_days)
            ]
            if signals:
                space.book.record(signals, at)


def name_question(one: BelongingsEntry, kind: str) -> str:
    """Return the id of a question: the same however often it is asked."""
    about = (one.person, str(one.number), kind, one.kept_until.isoformat())
    return "kept_" + sha256("\n".join(about).encode()).hexdigest()[:32]


def read_answer(given: Mapping[str, Any], id_: str, today: date) -> KeptAnswer | None:
    """Return what the business's system answered; None where it only took the question.

    Raises:
        DeliveryError: it answered something else than was asked, or what cannot be.
    """
    if "kept_until" not in given and "deleted" not in given:
        return None
    if given.get("id") != id_:
        raise TemporaryDeliveryError("the answer is to another question: `id` is not ours")
    if "kept_until" in given and "deleted" in given:
        raise TemporaryDeliveryError("the answer says both `kept_until` and `deleted`")
    if "deleted" in given:
        if given["deleted"] is not True:
            raise TemporaryDeliveryError("`deleted` is to be true, or left out")
        return KeptAnswer()
    try:
        until = date.fromisoformat(given["kept_until"])
    except (TypeError, ValueError):
        raise TemporaryDeliveryError("`kept_until` is to be a date like 2027-01-31") from None
    if not today <= until <= today + timedelta(days=LONGEST_DAYS):
        raise TemporaryDeliveryError(f"`kept_until` is past, or further than {LONGEST_DAYS} days")
    return KeptAnswer(until)
