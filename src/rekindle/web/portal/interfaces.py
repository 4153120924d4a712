"""What the portal needs from outside, said in its own words.

Whoever serves the portal brings it; so the pages know neither workspace nor ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from rekindle.consent import PendingState
from rekindle.content import WayBack
from rekindle.feedback import LeaveReason


class Clicks(Protocol):
    """Where links in messages lead, and who followed them."""

    def follow(self, token: str, *, is_machine: bool) -> str:
        """Return where a link leads, "" where it leads nowhere; keep that it was followed.

        ``is_machine`` says that no person did. What cannot be kept is no reason not to lead
        on.
        """


class NoClicks:
    """Of a business whose messages have no such links: they lead nowhere."""

    def follow(self, token: str, *, is_machine: bool) -> str:
        """Return that it leads nowhere."""
        return ""


class Opens(Protocol):
    """Of which messages it may be noticed that they were opened."""

    def notice(self, token: str, *, is_machine: bool) -> bool:
        """Keep that the picture of a message was loaded; return whether there is such a one."""


class NoOpens:
    """Of a business whose messages have no such pictures."""

    def notice(self, token: str, *, is_machine: bool) -> bool:
        """Return that there is no such picture."""
        return False


class WaysBack(Protocol):
    """What was kept for whoever follows a way back. Raises a WorkError where nobody can say."""

    def now(self) -> datetime:
        """Return the present."""

    def front(self) -> str:
        """Return where the shop begins, "" where nobody said."""

    def look(self, about: str) -> WayBack | None:
        """Return what a way back shows; None where its message or its reader is gone."""

    def lead(self, about: str, person: str) -> str | None:
        """Return where a press of the button leads, "" for nowhere, and keep that it was made.

        None where its message or its reader is gone. What cannot be kept is no reason not to
        lead on.
        """


class OptOuts(Protocol):
    """Who is on which list, as far as a page has to know."""

    def shop_name(self) -> str:
        """Return the name people know the business by."""

    def unsubscribe(self, person: str, list_id: str, *, at_source: str, channel: str = "") -> None:
        """Take the person off the list, at once; repeatable without harm.

        The list is all marketing by ``channel``, or by every channel where that is empty.
        ``at_source`` is where they said so: ``one_click`` (their mail program's own
        button, RFC 8058) or ``page`` (ours).

        Raises:
            WorkError: it could not be recorded; the person is told to try again.
        """


@dataclass(frozen=True, slots=True)
class Choices:
    """What somebody gets today: by which channels, of what, how often, and from when again.

    ``channels`` and ``topics`` say of each whether it is open to them; ``every_days`` is the
    shortest time between two messages, None for as many as the house sends. Days of a pause
    are those of the ``zone`` they live in.
    """

    channels: Mapping[str, bool] = field(default_factory=dict)
    topics: Mapping[str, bool] = field(default_factory=dict)
    every_days: int | None = None
    snoozed_until: datetime | None = None
    country: str | None = None
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody chose otherwise than it was shown: which channels and topics they want.

    ``words`` are the exact words that each channel was agreed to in.
    """

    channels: Mapping[str, bool]
    topics: Mapping[str, bool]
    every_days: int | None
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """A yes that waits, or waited, for its confirmation: to what, in which words if any."""

    state: PendingState
    channel: str
    words: str = ""
    country: str | None = None


class Customers(Protocol):
    """What a customer may see and do about themselves.

    Whatever writes raises a WorkError where it could not; the person is told to try again.
    """

    def now(self) -> datetime:
        """Return the present."""

    def knows(self, person: str) -> bool:
        """Return whether somebody is on record, and was not forgotten."""

    def country_of(self, person: str) -> str | None:
        """Return where somebody lives; None where that is not known."""

    def look(self, person: str) -> Choices | None:
        """Return what somebody gets; None for nobody, and for who was forgotten."""

    def choose(self, person: str, wish: Chosen) -> None:
        """Do what somebody chose; a channel whose box did not change states nothing."""

    def snooze(self, person: str, until: datetime | None) -> None:
        """Write no marketing to somebody until then; None ends a pause."""

    def leave(self, person: str) -> None:
        """Take somebody off every list."""

    def answer(self, person: str, reason: LeaveReason, words: str) -> None:
        """Keep why somebody left."""

    def question(self, person: str, about: str) -> Question | None:
        """Return which yes a link is about and what became of it; None for none there is."""

    def confirm(self, person: str, about: str, words: str) -> Question | None:
        """Confirm the yes in these words if that is still open; return it as it was before."""

    def export(self, person: str) -> str:
        """Return what is on record of somebody, as JSON."""

    def erase(self, person: str) -> None:
        """Forget somebody."""
