"""The nouns of a message, the same for every channel: what leaves, to where, and what comes back.

What one channel needs beyond them (a sender, a list's name, a push service's key) is kept
by its folder in ``rekindle.channels``, its settings and secrets too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from rekindle.vocabulary import Channel, Purpose, value_by_the_million

FOR_EVER = timedelta.max
"""How long an outlet is idempotent that knows a key for as long as it exists."""

WRITTEN_AHEAD = timedelta(minutes=1)
"""So long, at most, before it is handed over a message is written: a batch is, at once."""

SHORTEST = timedelta(seconds=1)


class AddressKind(StrEnum):
    """What kind of address a channel writes to: what a contact card has a place for.

    E-mail and phone are columns of the card. Of the others somebody may have several, and the
    newest is written to; a push subscription or a device's token is its newest owner's alone.
    ``PERSON`` is no address: the message is about somebody, and goes to somebody else, or waits
    until they ask for it themselves.
    """

    EMAIL = "email"
    PHONE = "phone"
    WEB_PUSH = "web_push"
    DEVICE = "device"
    POSTAL = "postal"
    PERSON = "person"


LISTED = frozenset({AddressKind.WEB_PUSH, AddressKind.DEVICE, AddressKind.POSTAL})
"""The kinds of which a card may list several."""

SHARED = frozenset({AddressKind.POSTAL})
"""The kinds that several people may have at once, as a household does."""


@value_by_the_million(frozen=True, slots=True)
class Address:
    """Where a message goes. ``value`` is written as the card has it, empty where it has none.

    ``kind`` is an ``AddressKind``, or another word where no card has a place for it.
    """

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel, or one outlet of it, can do and asks for.

    ``idempotent_for`` is how long the outlet recognises a message by its key, None for not
    at all: within it, sending again after a crash is harmless. ``reaches_people`` False is
    an outlet to try things out with. ``has_receipts`` says that it tells later what became
    of a message. ``is_asked_for`` marks an outlet that hands nothing over: what it took is kept
    here until its person asks. ``is_done_by_people`` marks a queue of tasks for people at the
    business, and ``is_to_the_law`` says as which channel the law sees what they do.
    ``needs_own_yes`` is a channel that no purchase opens: only a yes to it does.
    ``can_be_withdrawn`` marks lists that people are put on, and taken off again when they
    return or say no. ``can_be_called_back`` is an outlet that keeps what it took for a while
    before it leaves, and lets it be called back until then. ``is_on_paper`` is what is read off
    paper: links in it are typed by hand, and stay as short as they are.
    """

    address_kind: AddressKind
    idempotent_for: timedelta | None = None
    has_receipts: bool = False
    reaches_people: bool = True
    needs_consent: bool = True
    needs_own_yes: bool = False
    needs_quiet_hours: bool = True
    needs_postal_address: bool = False
    can_be_withdrawn: bool = False
    can_be_called_back: bool = False
    is_asked_for: bool = False
    is_on_paper: bool = False
    is_done_by_people: bool = False
    is_to_the_law: str = ""


@value_by_the_million(frozen=True, slots=True)
class Links:
    """The links of one message. ``unsubscribe`` is empty where nobody can leave anything."""

    unsubscribe: str = ""


@value_by_the_million(frozen=True, slots=True)
class Message:
    """One message, complete. ``key`` names it for ever: the same key is the same message.

    ``parts`` are what its template became, by name (``subject``, ``text``, ``html``); a
    channel takes those it can show. ``name`` is what the person is called, if known.
    ``cost_micros`` is what it costs as it was written, None for what was set aside for it.
    ``leave_by`` is until when it may still reach them, and ``leave_within`` how long that is
    from ``at``: a provider with a queue of its own is told so.
    """

    key: str
    channel: Channel
    person: str
    address: Address
    parts: Mapping[str, str]
    at: datetime
    purpose: Purpose = Purpose.MARKETING
    topic: str = ""
    name: str = ""
    links: Links = Links()
    cost_micros: int | None = None
    leave_by: datetime | None = None

    @property
    def leave_within(self) -> timedelta | None:
        """Return how long the message may still be under way; None without end.

        It is written up to ``WRITTEN_AHEAD`` before it is handed over, which is taken off; a
        second at least is left.
        """
        if self.leave_by is None:
            return None
        return max(self.leave_by - self.at - WRITTEN_AHEAD, SHORTEST)


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody's time on a list that another system keeps, as an ad audience.

    One without a ``destination`` is of a message that can be called back: ``member`` is what
    its provider calls it, and ``until`` is when it leaves there.
    ``destination`` is what journeys call the list, ``member`` what the person is known by there
    (a hash), and ``until`` when they are taken off whatever happens.
    """

    destination: str
    member: str
    until: datetime


@value_by_the_million(frozen=True, slots=True)
class Receipt:
    """What the provider calls the message it took; ``stay`` where it puts somebody on a list."""

    provider_id: str
    stay: Stay | None = None


class ChangeKind(StrEnum):
    """What is to happen to people on a list."""

    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class ListChange:
    """People to be put on a list, or taken off; saying it twice is as good as once.

    ``everybody`` reads who is to be on it after that, for a list that is handed over whole.
    """

    kind: ChangeKind
    destination: str
    members: Sequence[str]
    at: datetime
    everybody: Callable[[], Iterable[str]] = field(default=tuple, compare=False)


class Effect(StrEnum):
    """What became of a change that was taken.

    MISSED is of a message that was to be called back and has left, or is not let go.
    """

    PENDING = "pending"
    EFFECTIVE = "effective"
    FAILED = "failed"
    MISSED = "missed"


class DeliveryKind(StrEnum):
    """What may become of a message after it left."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OPENED = "opened"
    CLICKED = "clicked"
    REPLIED = "replied"
    UNSUBSCRIBED = "unsubscribed"
    RESUBSCRIBED = "resubscribed"
    FAILED = "failed"
    SHOWN = "shown"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """One thing a provider says of a message. ``id`` makes telling it twice harmless.

    ``address`` is the one the message went to, and ``message`` our key of it; either may be
    empty where the provider does not say. ``is_machine`` marks what a scanner or a proxy
    did. Only a bounce that ``is_permanent`` is about the address. RESUBSCRIBED takes back what
    an earlier UNSUBSCRIBED of the same channel said, and nothing that was said in another way.
    SHOWN and DISMISSED are of a message that was asked for: it was seen, or put away for good.
    ``reason`` is the provider's own word; whoever stores it takes addresses out. ``person`` is
    whose message it is where our own link said so, and ``message`` then how its key begins.
    ``fingerprint`` is that of the address, where its provider was given one to say again.
    ``needs_message`` says that anybody could have written it: it is believed of a message of
    ours that it names, and of the address of whom that went to.
    """

    id: str
    kind: DeliveryKind
    channel: Channel
    outlet: str
    at: datetime
    provider_id: str = ""
    message: str = ""
    address: str = ""
    is_machine: bool = False
    is_permanent: bool = True
    reason: str = ""
    person: str = ""
    fingerprint: str = ""
    needs_message: bool = False


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """What a provider sent, as it came. Names of ``headers`` are in small letters.

    ``url`` is the public address it was sent to, which some providers sign.
    """

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    url: str = ""


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What a provider is answered in its own language."""

    content_type: str
    body: bytes


class Severity(StrEnum):
    """How much a finding matters: whether anything may leave in spite of it.

    ``NOTES`` is what only a person can look up, and is no fault as far as anybody knows.
    """

    REFUSES = "refuses"
    WARNS = "warns"
    NOTES = "notes"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a channel's settings that keeps messages back, or soon may.

    ``remedy`` says what to do about it.
    """

    severity: Severity
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a channel has to know of a workspace to judge its own settings."""

    portal_url: str
    shop_name: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict)
