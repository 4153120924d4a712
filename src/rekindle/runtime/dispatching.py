"""Sends what the outbox holds: claim, look once more, mark, send, write down.

The order of these steps is the promise. A worker that dies between marking and writing
down leaves a message of unknown fate, which is not sent again unless the outlet
recognises it by its key.
"""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from rekindle.channels import OutgoingMail, Outlet
from rekindle.clock import Clock
from rekindle.errors import DeliveryError, RekindleError, UnknownFateError
from rekindle.ledger import Outbox, OutboxMessage

LEASE = timedelta(minutes=5)
BATCH = 100
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)
# So many temporary failures in a row are the provider's, not one address's.
FAILURES_IN_A_ROW = 5

Compose = Callable[[Sequence[OutboxMessage]], Mapping[str, OutgoingMail | RekindleError]]


@dataclass(frozen=True, slots=True)
class DispatchReport:
    """What one pass sent. ``outcomes`` counts messages by what became of them."""

    outcomes: Mapping[str, int] = field(default_factory=dict)
    trouble: str = ""

    @property
    def accepted(self) -> int:
        """Return how many messages the provider took."""
        return self.outcomes.get("accepted", 0)


class Dispatcher:
    """Sends messages through one outlet; the only caller of an outlet's ``send``."""

    def __init__(self, outbox: Outbox, outlet: Outlet, *, compose: Compose, clock: Clock) -> None:
        self._outbox, self._outlet = outbox, outlet
        self._compose, self._clock = compose, clock
        self._worker = f"{socket.gethostname()}:{os.getpid()}"

    def run(self, *, is_stopping: Callable[[], bool] = lambda: False) -> DispatchReport:
        """Send everything that waits; stop early when the provider is out of reach."""
        self._outbox.recover(self._clock.now(), is_idempotent=self._outlet.is_idempotent)
        outcomes: Counter[str] = Counter()
        trouble, in_a_row = "", 0
        for message, mail in self._waiting():
            outcome, problem = self._send(message, mail)
            outcomes[outcome] += 1
            trouble = trouble or problem
            if isinstance(mail, OutgoingMail):
                in_a_row = in_a_row + 1 if problem else 0
            # What stays leased goes back to the queue when the lease ends.
            if in_a_row == FAILURES_IN_A_ROW or is_stopping():
                break
        self._outlet.close()
        return DispatchReport(outcomes, trouble)

    def _waiting(self) -> Iterator[tuple[OutboxMessage, OutgoingMail | RekindleError]]:
        """Yield every message that waits, composed, a leased batch at a time."""
        while claimed := self._outbox.claim(
            self._clock.now(), worker=self._worker, lease=LEASE, limit=BATCH
        ):
            mails = self._compose(claimed)
            for message in claimed:
                yield message, mails[message.key]

    def _send(self, message: OutboxMessage, mail: OutgoingMail | RekindleError) -> tuple[str, str]:
        """Send one message; return what became of it and what is wrong with the provider."""
        if not self._outbox.begin_sending(message, self._clock.now()):
            return "cancelled", ""
        if isinstance(mail, RekindleError):
            return self._retry(message, str(mail), None)
        try:
            receipt = self._outlet.send(mail)
        except UnknownFateError as error:
            self._outbox.mark_unknown(message, self._clock.now(), str(error))
            return "unknown", str(error)
        except DeliveryError as error:
            if not error.permanent:
                return self._retry(message, str(error), error.retry_after)
            self._outbox.fail(message, self._clock.now(), error=str(error), permanent=True)
            return "refused", ""
        self._outbox.accept(message, self._clock.now(), receipt.provider_id)
        return "accepted", ""

    def _retry(
        self, message: OutboxMessage, error: str, retry_after: timedelta | None
    ) -> tuple[str, str]:
        wait = retry_after or min(FIRST_RETRY * 2**message.attempts, LONGEST_RETRY)
        at = self._clock.now()
        self._outbox.fail(message, at, error=error, permanent=False, retry_at=at + wait)
        return "retried later", error
