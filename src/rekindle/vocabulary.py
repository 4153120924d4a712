"""The words every room shares: ids, money, channels, tiers, arms and reasons.

They stand apart so that a domain room can speak them without knowing any other
room. Values only, and how values are made: nothing here reads or writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import TypeVar, dataclass_transform

from rekindle import wording

MICROS = 1_000_000
_HALF_PAIR = re.compile("[\ud800-\udfff]")
T = TypeVar("T")


@dataclass_transform()
def value_by_the_million(*, frozen: bool, slots: bool) -> Callable[[type[T]], type[T]]:
    """Return what makes a dataclass that is compared and hashed like a frozen one.

    Python builds a frozen dataclass five times as slowly as an open one, and a decision
    takes five of them. These are frozen to mypy, which every change has to pass, and open
    at run time.
    """
    return dataclass(slots=slots, unsafe_hash=frozen)


class PiecedText(str):
    """A text put together of pieces, every second of which is its own, from the second on.

    The others are the same in every text of one mould, so what is made of them can be kept.
    It is a text like any other, and what is made of it by the methods of texts is a plain one.
    """

    __slots__ = ("pieces",)
    pieces: Sequence[str]

    @classmethod
    def of(cls, pieces: Sequence[str]) -> PiecedText:
        """Return the text of these pieces."""
        made = cls("".join(pieces))
        made.pieces = pieces
        return made


def replace_spans(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """Return a text with other words in place of some spans, in order: start, end and words.

    Of a text in pieces it is one in pieces too, of which those words are its own.
    """
    parts: list[tuple[str, bool]] = []
    at = 0
    for start, end, words in spans:
        parts += (*_cut(text, at, start), (words, True))
        at = end
    if not parts:
        return text
    parts += _cut(text, at, len(text))
    if not isinstance(text, PiecedText):
        return "".join(words for words, _ in parts)
    pieces: list[list[str]] = [[]]
    for words, is_own in parts:
        if is_own == len(pieces) % 2:
            pieces.append([])
        pieces[-1].append(words)
    return PiecedText.of(list(map("".join, pieces)))


def _cut(text: str, start: int, end: int) -> list[tuple[str, bool]]:
    """Return what a text says from one place to another, and which of that is its own."""
    if not isinstance(text, PiecedText):
        return [(text[start:end], False)]
    found = []
    at = 0
    for number, piece in enumerate(text.pieces):
        if within := piece[max(start - at, 0) : max(end - at, 0)]:
            found.append((within, number % 2 == 1))
        at += len(piece)
    return found


def is_channel(name: str) -> bool:
    """Return whether a word is well formed as the name of a channel."""
    return _CHANNEL.fullmatch(name) is not None


CHANNEL_PATTERN = r"^[a-z][a-z0-9_]{0,23}$"
_CHANNEL = re.compile(CHANNEL_PATTERN)


class Channel(str):
    """The name of a way to reach a person, like ``email``; compared and stored as text.

    Which channels there are is said by their folders (``rekindle.channels``), not here: any
    well-formed word may be one. Small letters, digits and underscores, at most 24.

    Raises:
        ValueError: the word is not well formed.
    """

    __slots__ = ()

    def __new__(cls, name: str) -> Channel:
        """Return the name, checked."""
        if not is_channel(name):
            raise ValueError(
                f"{name!r} is no name of a channel; write small letters, digits and '_', "
                "like 'email', at most 24"
            )
        return super().__new__(cls, name)

    @property
    def value(self) -> str:
        """Return the name as plain text."""
        return str(self)


LONGEST_ID = 200


def is_usable_id(text: str) -> bool:
    """Return whether a text can be a person's id: every database holds it, as it is."""
    return 0 < len(text) <= LONGEST_ID and "\0" not in text and not _HALF_PAIR.search(text)


class Purpose(StrEnum):
    """Why a journey writes. Caps and consent bind marketing, never transactional."""

    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"


class Arm(StrEnum):
    """The side of an experiment a person was assigned to."""

    TREATMENT = "treatment"
    HOLDOUT = "holdout"


class IntervalKind(StrEnum):
    """How often an interval may be looked at and still mean what it says."""

    FIXED = "fixed"
    READING_DATE = "reading-date"
    OPEN_ENDED = "open-ended"


class Tier(StrEnum):
    """Where a customer stands in the lifecycle, from the first look to long gone."""

    PROSPECT = "prospect"
    NEW = "new"
    ACTIVE = "active"
    AT_RISK = "at_risk"
    LAPSED = "lapsed"
    DORMANT = "dormant"
    GONE = "gone"
    RETURNED = "returned"


class OrderState(StrEnum):
    """What a shop's word for the state of an order says of it."""

    PURCHASE = "purchase"
    PART_REFUNDED = "part_refunded"
    REFUNDED = "refunded"
    REFUND = "refund"
    CANCELLED = "cancelled"
    PENDING = "pending"


class Answer(StrEnum):
    """What was decided about one look at one enrolment.

    The gate answers SEND, HOLD or SKIP about a touch; PASS says that the person went on
    through a wait or a branch, where there is nothing to send.
    """

    SEND = "send"
    HOLD = "hold"
    SKIP = "skip"
    PASS = "pass"


TOUCHED = (Answer.SEND, Answer.HOLD, Answer.SKIP)
"""What the gate answers about a touch."""


class Reason(StrEnum):
    """Why a touch was held or skipped, a person went on, or an enrolment ended.

    The order of the first part is the order in which the gate asks; the first that
    applies is given.
    """

    EXIT_REACHED = "exit_reached"
    ERASED = "erased"
    SUPPRESSED = "suppressed"
    NO_PERMISSION = "no_permission"
    STALE = "stale"
    CONDITION_NOT_MET = "condition_not_met"
    SNOOZED = "snoozed"
    PREFERENCE = "preference"
    EXCLUDED = "excluded"
    STILL_SUBSCRIBED = "still_subscribed"
    UNREACHABLE = "unreachable"
    BLACKOUT = "blackout"
    QUIET_HOURS = "quiet_hours"
    CAP = "cap"
    OFFER_OVER = "offer_over"
    OFFER_OPEN = "offer_open"
    OFFER_WAIT = "offer_wait"
    NO_OFFER = "no_offer"
    OFFER_MARGIN = "offer_margin"
    NO_CODE = "no_code"
    OFFER_SPENT = "offer_spent"
    BUDGET = "budget"
    NOT_WORTH_IT = "not_worth_it"
    GLOBAL_HOLDOUT = "global_holdout"
    HELD_OUT = "held_out"

    WAITING = "waiting"
    WAITED = "waited"
    WOKEN = "woken"
    BRANCHED = "branched"

    UNDELIVERABLE = "undeliverable"
    REFUSED = "refused"
    NOT_READY = "not_ready"
    SET_ASIDE = "set_aside"
    LEAVING = "leaving"
    FINISHED = "finished"
    STOPPED = "stopped"
    JOINED = "joined"
    EVENT = "event"
    ORDER = "order"
    OPT_OUT = "opt_out"
    COMPLAINT = "complaint"
    BOUNCE = "bounce"


GHOSTLY = frozenset({Reason.GLOBAL_HOLDOUT, Reason.HELD_OUT})
"""Why a touch stays a ghost: the person would have been written to now, but for a holdout."""


class SignalKind(StrEnum):
    """Something a person did, or that happened to them.

    ORDER to BOUNCE have consequences of their own; the others are behaviour a journey
    may wait for, branch on, begin or end with. EVENT is any other, known by its name.
    """

    ORDER = "order"
    OPT_OUT = "opt_out"
    COMPLAINT = "complaint"
    BOUNCE = "bounce"
    OPEN = "open"
    CLICK = "click"
    VISIT = "visit"
    VIEW = "view"
    REPLY = "reply"
    OFFER_USED = "offer_used"
    LOGIN = "login"
    RESUME = "resume"
    EVENT = "event"


LEFT, COMPLAINED = "unsubscribed", "marked_as_spam"
"""The names of events that are a no; the second after the name of a channel."""

STOPS = frozenset({SignalKind.OPT_OUT, SignalKind.COMPLAINT, SignalKind.BOUNCE})
"""What ends every enrolment of a person, whatever the journey says."""


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency.

    ``amount`` is in major units (pounds, not pence); ``currency`` an ISO 4217 code.
    The ledger stores whole micros (millionths of the major unit), so that a message
    costing 0.0075 is exact on every database.
    """

    amount: Decimal
    currency: str

    @classmethod
    def from_micros(cls, micros: int, currency: str) -> Money:
        """Return the amount of ``micros`` millionths of the major unit."""
        return cls(Decimal(micros) / MICROS, currency)

    @property
    def micros(self) -> int:
        """Return the amount in millionths of the major unit, rounded half to even."""
        return int((self.amount * MICROS).to_integral_value(ROUND_HALF_EVEN))

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)

    def __str__(self) -> str:
        return wording.amount(self.amount, self.currency)


@dataclass(frozen=True, slots=True)
class Unknown:
    """The answer "could not compute", with its reason; never 0, NaN or None."""

    reason: str

    def __str__(self) -> str:
        return f"could not estimate: {self.reason}"
