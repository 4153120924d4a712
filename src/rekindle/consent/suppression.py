"""Who is never contacted again: on which channel, for which purpose, and why.

A suppression is apart from permission and wins over it. How far one reaches follows from
what gave rise to it, and is decided here for every book.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from rekindle.consent.law import refusal_of
from rekindle.vocabulary import Channel, Purpose, SignalKind

ERASED = "erased"
"""The reason of the suppression an erasure leaves behind."""


class Whom(StrEnum):
    """Whom a suppression binds.

    PERSON is somebody under whatever address, and everybody at the addresses they had when
    it was written; ADDRESS is the address alone, whoever has it.
    """

    PERSON = "person"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Suppression:
    """How far one suppression reaches; ``channel`` or ``purpose`` None is every one."""

    channel: Channel | None
    purpose: Purpose | None
    reason: str
    whom: Whom = Whom.PERSON

    def binds(self, channel: Channel, purpose: Purpose) -> bool:
        """Return whether a message of this purpose may not leave through this channel."""
        return self.channel in (None, channel) and self.purpose in (None, purpose)


def suppression_by(
    kind: SignalKind,
    channel: Channel | None,
    *,
    places: Sequence[str] = (),
    on: date | None = None,
) -> Suppression:
    """Return the suppression that an opt-out, a complaint or a bounce gives rise to.

    An opt-out from one channel ends marketing there; one that names none, and a complaint
    wherever it came from, end all marketing. None of them ends a receipt. A bounce ends
    whatever would go to that address, and says nothing of another.

    ``places`` are where the person lives, and ``on`` is the day they said so: where the law
    of then lets a STOP on a channel end all, receipts end there too.

    Raises:
        ValueError: the kind stops nothing.
    """
    if kind is SignalKind.OPT_OUT:
        ends_all = channel is not None and on is not None and refusal_of(places, channel, on)
        return Suppression(channel, None if ends_all else Purpose.MARKETING, kind.value)
    if kind is SignalKind.COMPLAINT:
        return Suppression(None, Purpose.MARKETING, kind.value)
    if kind is SignalKind.BOUNCE:
        return Suppression(channel, None, kind.value, Whom.ADDRESS)
    raise ValueError(f"{kind} suppresses nobody")


def ends_journey(
    kind: SignalKind, channel: Channel | None, *, purpose: Purpose, channels: Iterable[Channel]
) -> bool:
    """Return whether a journey that writes through ``channels`` is over after such a stop.

    An opt-out or a complaint ends marketing that would write where it reaches; after a
    bounce a journey goes on that has another channel to write through.
    """
    if kind is SignalKind.BOUNCE:
        return channel is None or all(one == channel for one in channels)
    reach = suppression_by(kind, channel)
    return any(reach.binds(one, purpose) for one in channels)
