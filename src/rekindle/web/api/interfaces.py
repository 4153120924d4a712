"""What the API needs from outside, said in its own words.

Whoever serves it brings this; so the routes know neither workspace nor database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from rekindle.intake import Event
from rekindle.ledger import ApiKey
from rekindle.messages import WebhookAnswer, WebhookRequest


class Intake(Protocol):
    """Knows the keys, and takes events."""

    def now(self) -> datetime:
        """Return the present instant, UTC-aware."""

    def key_of(self, secret: str) -> ApiKey | None:
        """Return the key with this secret; None if there is none, or it was revoked.

        Raises:
            WorkError: the keys cannot be read now.
        """

    def take(self, source: str, events: Sequence[Event], at: datetime) -> frozenset[str]:
        """Keep events and do what they call for, in one transaction; repeatable.

        Returns the message ids of those that were not kept, as the person asked to be
        forgotten.

        Raises:
            WorkError: nothing was kept; the same may be sent again.
        """


class Reports(Protocol):
    """Takes what providers report of messages that left."""

    @property
    def outlets(self) -> frozenset[str]:
        """Return the outlets that something may be reported of."""

    def now(self) -> datetime:
        """Return the present instant, UTC-aware."""

    def take(self, outlet: str, request: WebhookRequest) -> int:
        """Do what a report calls for; return how much of it was new.

        Raises:
            ForgedReportError, EventError: it is not signed, or cannot be read.
            WorkError: nothing was kept; the same may be sent again.
        """

    def answer(self, outlet: str, request: WebhookRequest) -> WebhookAnswer | None:
        """Return what the provider of a report that was taken is to be answered, if anything."""


class Notices(Protocol):
    """Takes what the biller says of subscriptions and payments."""

    @property
    def providers(self) -> frozenset[str]:
        """Return the billers whose notices are taken."""

    def take(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Do what a notice calls for; return whether it was new.

        Raises:
            ForgedReportError, EventError: it is not signed, or cannot be read.
            WorkError: nothing was kept; the biller may send the same again.
        """
