"""What a channel's folder brings: ways out, ways back in, and what both can do.

``rekindle.channels`` finds the folders, its own and those of installed packages; every
other room asks what is declared here, and none knows a channel by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from rekindle.config import CapSettings, ChannelSettings
from rekindle.messages.model import (
    Capabilities,
    DeliveryEvent,
    Effect,
    Finding,
    ListChange,
    Message,
    Receipt,
    Surroundings,
    WebhookAnswer,
    WebhookRequest,
)
from rekindle.vocabulary import Channel


class Outlet(Protocol):
    """One way out.

    ``send`` may be called from several threads at once; ``close`` only while none sends.
    An outlet that was closed opens again with the next message.
    """

    def send(self, message: Message) -> Receipt:
        """Hand the message over and return the provider's receipt.

        Raises:
            TemporaryDeliveryError: it did not leave and may be tried again.
            MalformedAddressError: its address is none; nobody was asked.
            AddressGoneError: its address is none any more; the person may have another.
            OptedOutError: its owner said there that nothing more is to come.
            PermanentDeliveryError: its address takes no messages; it counts as bounced.
            RefusedContentError: it will never be taken, and its address may be good.
            OutletFaultError: we have to mend something; the outlet is stopped until then.
            UnknownFateError: it may or may not have left.
        """

    def close(self) -> None:
        """Let go of what was kept open between messages."""


class Roster(Protocol):
    """Lists of people that another system keeps: who was put on them, and is to be taken off.

    ``batch`` is how many people one change may name. The errors of ``tell`` mean what those of
    ``Outlet.send`` do: after UnknownFateError the same is said again, which does no harm.
    """

    @property
    def batch(self) -> int:
        """Return how many people one change may name."""

    def tell(self, change: ListChange) -> str:
        """Hand a change over and return what to ask by later whether it is effective.

        Raises:
            DeliveryError: it was not taken, or nobody knows.
        """

    def look(self, request: str, told_at: datetime, at: datetime) -> Effect:
        """Return what became, by ``at``, of a change that was taken at ``told_at``.

        Raises:
            DeliveryError: it cannot be asked now.
        """

    def close(self) -> None:
        """Let go of what was kept open between changes."""


class Webhook(Protocol):
    """The way back in: a provider's reports, checked and read."""

    def read(self, request: WebhookRequest) -> Sequence[DeliveryEvent]:
        """Return what a report says.

        Raises:
            ForgedReportError: the report is not signed by whom it should be.
            EventError: the report is signed but cannot be read.
        """


@runtime_checkable
class Answering(Protocol):
    """A webhook whose provider wants more of an answer than that its report was taken."""

    def answer(self, request: WebhookRequest) -> WebhookAnswer | None:
        """Return what is answered to a report that was read; None for what is always said.

        Raises:
            ForgedReportError, EventError: as ``Webhook.read``.
        """


class OutletFactory(Protocol):
    """Builds an outlet from its channel's settings."""

    def __call__(self, settings: Any, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
        """Return the outlet. ``secrets`` holds what its entry names; ``base`` is the workspace."""


class RosterFactory(Protocol):
    """Builds the lists of an outlet from its channel's settings."""

    def __call__(self, settings: Any, *, base: Path, secrets: Mapping[str, str]) -> Roster:
        """Return the lists; the parameters are those of ``OutletFactory``."""


class WebhookFactory(Protocol):
    """Builds the way back in of an outlet from its channel's settings."""

    def __call__(self, settings: Any, *, secrets: Mapping[str, str]) -> Webhook:
        """Return the webhook. ``secrets`` holds what the outlet's entry names."""


@dataclass(frozen=True, slots=True)
class OutletEntry:
    """One outlet of a channel: what it is for, what it can do and how to build it.

    ``connections`` says how many messages it takes at the same time with given settings.
    ``roster`` are the lists of an outlet that can be withdrawn from: its ``send`` takes down
    that somebody is to be on one, and the roster is told of many at once. Of an outlet whose
    messages can be called back, it is who is told to: it is told of removals alone.
    """

    name: str
    summary: str
    capabilities: Capabilities
    build: OutletFactory
    secrets: tuple[str, ...] = ()
    webhook: WebhookFactory | None = None
    roster: RosterFactory | None = None
    connections: Callable[[Any], int] = field(default=lambda settings: 1)


def _nothing(settings: Any, entry: OutletEntry, surroundings: Surroundings) -> Iterable[Finding]:
    return ()


def _no_text(shop_name: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class ChannelFolder:
    """What the folder of a channel declares, as ``CHANNEL`` of its face.

    ``settings`` is its section of ``rekindle.toml``, called like the channel; ``outlets``
    are what ``settings.outlet`` may name. ``cap`` is the cap on its marketing that holds
    where ``[caps]`` says nothing of it. ``check`` says what its settings lack, ``look`` what
    is wrong outside (it may ask DNS or a provider, in seconds and never for long), and
    ``starter`` returns the text of its section in a new workspace. ``called`` is what people
    call it, where that is not its name. ``parts`` are what a template has to bring for it:
    ``subject``, ``html`` and ``text`` come from ``NAME.mjml``; ``text`` or ``body``, with
    ``title`` and ``url``, from ``NAME.CHANNEL.txt``. A channel that asks for none takes
    what there is. One that ``has_destinations`` has no templates: its steps name a list, as
    ``destination``, and that is all its messages say.
    """

    channel: Channel
    settings: type[ChannelSettings]
    outlets: tuple[OutletEntry, ...]
    cap: CapSettings | None = None
    check: Callable[[Any, OutletEntry, Surroundings], Iterable[Finding]] = _nothing
    look: Callable[[Any, OutletEntry, Surroundings], Iterable[Finding]] = _nothing
    starter: Callable[[str], str] = _no_text
    price: Callable[[Any, Message], Decimal] | None = None
    called: str = ""
    parts: tuple[str, ...] = ()
    has_destinations: bool = False

    def outlet(self, name: str) -> OutletEntry | None:
        """Return the outlet of this name, or None."""
        return next((one for one in self.outlets if one.name == name), None)
