"""Answers an app or a page that asks what somebody is to see now, and hears what they did.

Between the acceptance of a message and the visit of its person days may pass. So the gate
is asked as it is before a message leaves, of what is on record at this instant. Caps are
not: a message was counted when it was accepted.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rekindle.channels import find_outlet
from rekindle.config import load_secrets
from rekindle.gate import GateContext, JourneyRules, decide
from rekindle.journeys import Send, build_journey_rules
from rekindle.ledger import Deliveries, KeptMessages, OutboxMessage
from rekindle.messages import DeliveryEvent, DeliveryKind
from rekindle.offers import review_offer
from rekindle.runtime import Workspace
from rekindle.vocabulary import Answer
from rekindle.worker.guarding import Guard
from rekindle.worker.taking import id_prefixes, mending

APP = "app"
"""What tells of a message that was asked for: whoever asked."""


@dataclass(frozen=True, slots=True)
class Showing:
    """A message that somebody is to see now: the name of it, what it says, and until when."""

    key: str
    parts: Mapping[str, str]
    until: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """How many reports were new, and which messages nobody knows of that person."""

    new: int
    unknown: frozenset[str] = frozenset()


def may_be_shown(message: OutboxMessage, policy: JourneyRules, at: datetime) -> bool:
    """Return whether the gate lets a message that was kept through at this instant."""
    review = None
    if message.offer is not None:
        review = review_offer(message.offer, message.dossier.offers, at)
    context = GateContext(
        replace(message.dossier, sent=()),
        Send(message.step, message.channel, message.template),
        policy,
        at,
        offer=review,
    )
    return decide(context).answer is Answer.SEND


class LedgerShowing:
    """What is kept in the ledger of one workspace; shared by all threads of a server."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._prefixes = id_prefixes(workspace)
        self._kept = KeptMessages(workspace.ledger, workspace.terms)
        self._deliveries = Deliveries(
            workspace.ledger, workspace.book, secret=workspace.secret, terms=workspace.terms
        )
        self._channels = {
            channel for channel, can in workspace.capabilities.items() if can.is_asked_for
        }
        self._policies: dict[tuple[str, int], JourneyRules] = {}
        self._own = threading.local()
        self.secret = self._find_secret()

    def now(self) -> datetime:
        """Return the present instant, UTC-aware."""
        return self._workspace.clock.now()

    def ask(self, user: str, source: str) -> Showing | None:
        """Return what somebody is to see now, None for nothing.

        Raises:
            WorkError: the ledger refused, or is an older copy of itself.
        """
        if not self._channels:
            return None
        at = self.now()
        with mending(self._workspace.ledger):
            kept = self._kept.of(self._person(user, source), at)
            if kept:
                self._guard.require_newest()  # in an older copy what was withdrawn waits again
            found = next((one for one in kept if self._is_open(one.message, at)), None)
        if found is None:
            return None
        return Showing(found.message.key, found.parts, found.until)

    def tell(self, user: str, source: str, said: Sequence[tuple[str, DeliveryKind]]) -> Told:
        """Keep what somebody did with messages of theirs, each once; return what was new.

        Raises:
            WorkError: the ledger refused; the same may be told again.
        """
        at = self.now()
        with mending(self._workspace.ledger):
            person = self._person(user, source)
            known = self._kept.told_of(person, self._channels, at)
            events = [
                DeliveryEvent(
                    # One message is told of once in each way, whoever tells it how often.
                    id=f"{key[:32]}:{kind}",
                    kind=kind,
                    channel=known[key],
                    outlet=APP,
                    at=at,
                    message=key,
                    person=person,
                )
                for key, kind in said
                if key in known
            ]
            new = 0
            if events:
                self._guard.require_newest()
                new = self._deliveries.take(events, at)
                self._guard.note()
        return Told(new, frozenset(key for key, _ in said if key not in known))

    def _is_open(self, message: OutboxMessage, at: datetime) -> bool:
        return may_be_shown(message, self._policy(message), at)

    def _policy(self, message: OutboxMessage) -> JourneyRules:
        """Return what holds for a version, which never changes once it has started."""
        key = (message.journey, message.version)
        if key not in self._policies:
            for version in self._workspace.book.versions(message.journey):
                rules = build_journey_rules(version, self._workspace.rules)
                self._policies[message.journey, version.version] = rules
        return self._policies[key]

    def _person(self, user: str, source: str) -> str:
        id_ = self._prefixes.get(source, "") + user
        return self._workspace.book.persons.find([id_])[id_]

    @property
    def _guard(self) -> Guard:
        """Return the guard of this thread, which asks every few seconds."""
        found: Guard | None = getattr(self._own, "guard", None)
        if found is None:
            found = self._own.guard = Guard(self._workspace)
        return found

    def _find_secret(self) -> str:
        """Return what tokens of persons are signed with, "" where there is none."""
        for channel in sorted(self._channels):
            _, entry = find_outlet(self._workspace.config.channel(channel).outlet)
            if secrets := [one for one in load_secrets(entry.secrets).values() if one]:
                return secrets[0]
        return ""
