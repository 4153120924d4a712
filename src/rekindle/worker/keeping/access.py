"""Restores access the moment a biller says paid: tells the business's own system, until it took it.

A note waits in the ledger from the transaction on that learnt of the payment. It is told at
once by the process that learnt of it, and by the worker where that one died or was refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from threading import Lock, Thread
from typing import Any, Protocol

from rekindle.channels import build_teller
from rekindle.errors import ConfigError, DeliveryError, RekindleError
from rekindle.ledger import AccessNote, AccessNotes, let_go, mend
from rekindle.runtime import Workspace
from rekindle.worker.guarding import Guard

KIND = "access.restored"

logger = logging.getLogger(__name__)


def name_access(provider: str, *parts: str) -> str:
    """Return the id of an access: the same for the same parts, whoever tells of it first."""
    return "access_" + sha256("\n".join((provider, *parts)).encode()).hexdigest()[:32]


class EventTeller(Protocol):
    """Tells the business's own system of what happened."""

    def tell(self, id_: str, kind: str, data: Mapping[str, Any], at: datetime) -> Mapping[str, Any]:
        """Tell of one event; return the answer. Raises DeliveryError where it was not taken."""


def open_teller(url: str, *, timeout_seconds: float) -> tuple[EventTeller | None, str]:
    """Return what tells the business's system at ``url``, and why nobody can where it cannot."""
    if not url:
        return None, ""
    try:
        return build_teller(url, timeout_seconds=timeout_seconds), ""
    except ConfigError as error:
        logger.error("nobody is told at %s: %s", url, error)
        return None, str(error)


class AccessKeeper:
    """Tells of restored accesses of one workspace; nothing where no address is set."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._notes = AccessNotes(workspace.ledger)
        self._telling = Lock()
        settings = workspace.config.billing
        self._teller, self.trouble = open_teller(
            settings.access_url, timeout_seconds=settings.timeout_seconds
        )

    @property
    def is_on(self) -> bool:
        """Return whether anybody wants to be told."""
        return self._teller is not None

    def tell_soon(self) -> None:
        """Tell what waits, in a thread of its own; one at a time."""
        if self.is_on:
            Thread(target=self._tell_and_let_go, name="access", daemon=True).start()

    def tell(self, *, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Tell what waits and is due; return how many the business's system took."""
        if self._teller is None:
            return 0
        count = 0
        # Whoever comes meanwhile waits, and then finds what was noted meanwhile. After the first
        # that is not taken the others wait, too: a system that is away would hold up a pass.
        with self._telling:
            while not is_stopping():
                note = self._notes.claim(self._workspace.clock.now())
                if note is None or not self._tell_one(self._teller, note):
                    break
                count += 1
        return count

    def note_return(self, person: str, instead_of: str, subscription: str) -> None:
        """Note the access of somebody who came back and paid just now, and tell of it.

        It never raises: the biller's notice will say the same.
        """
        if not self.is_on:
            return
        now, provider = self._workspace.clock.now(), self._workspace.config.billing.provider
        id_ = name_access(provider, instead_of, subscription)
        note = AccessNote(id_, provider, subscription, person, "came_back", now)
        guard = Guard(self._workspace)
        try:
            guard.require_newest()
            self._notes.add([note], now)
            guard.note()
        except RekindleError:
            logger.exception("a return was not noted; the biller's notice will")
            mend(self._workspace.ledger)
        else:
            self.tell_soon()

    def _tell_one(self, teller: EventTeller, note: AccessNote) -> bool:
        now = self._workspace.clock.now
        data = {
            "customer": note.customer,
            "subscription": note.subscription,
            "provider": note.provider,
            "because": note.because,
            "paid_at": note.paid_at.isoformat(),
        }
        try:
            teller.tell(note.id, KIND, data, now())
        except DeliveryError as error:
            self._notes.failed(note, str(error), now(), retry_after=error.retry_after)
            logger.warning("access of %s was not taken: %s", note.subscription, error)
            return False
        self._notes.told(note, now())
        return True

    def _tell_and_let_go(self) -> None:
        try:
            self.tell()
        except RekindleError:
            logger.exception("restored accesses wait for the next pass")
        finally:
            let_go(self._workspace.ledger)
