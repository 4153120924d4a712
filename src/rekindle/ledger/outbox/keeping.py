"""Messages that nobody is handed: each is kept until its person asks for it.

A message is kept by the transaction that accepts it. Whatever ends it later (a return, an
opt-out, an erasure, a stop) lets go of it in its own transaction, and so does what its
person does with it; ``rekindle.ledger.cancelling`` is where that happens. What was accepted
at the very instant of such an end may be left over, so whoever shows one asks the gate.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rekindle.gate import BookRules
from rekindle.journeys import Journey
from rekindle.ledger import models
from rekindle.ledger.hashing import key_of_touch
from rekindle.ledger.models import MessageState
from rekindle.ledger.outbox.deliveries import REMEMBERED
from rekindle.ledger.outbox.leaving import Lease, load_messages
from rekindle.ledger.outbox.model import OutboxMessage
from rekindle.ledger.queries import (
    execute,
    fetch,
    instant_of,
    ledger_errors,
    rows_of,
    text_of,
)
from rekindle.ledger.versions import Versions
from rekindle.messages import Message
from rekindle.vocabulary import Channel

MOST = 5
"""So many of what is kept for one person are looked at, the newest first."""

NO_LEASE = timedelta(0)


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """One message that is kept: what the gate is to look at, what it says, until when."""

    message: OutboxMessage
    parts: Mapping[str, str]
    until: datetime


class KeptMessages:
    """What is kept in one ledger. Every method raises LedgerError when it refuses."""

    def __init__(self, alias: str, terms: BookRules) -> None:
        self._alias, self._terms = alias, terms
        self._versions = Versions(alias)

    def of(self, person: str, at: datetime) -> list[KeptMessage]:
        """Return what is kept for somebody and not over, the newest first."""
        with ledger_errors():
            rows = fetch(self._alias, "kept_for", person, text_of(at), MOST)
            if not rows:
                return []
            found = load_messages(
                self._alias,
                self._journey,
                [touch for touch, *_ in rows],
                lease=Lease("", at, NO_LEASE),
                terms=self._terms,
                are_to_be_paid=False,
            )
        by_touch = {one.touch: one for one in found}
        return [
            KeptMessage(by_touch[touch], json.loads(parts), instant_of(until))
            for touch, parts, until in rows
            if touch in by_touch
        ]

    def told_of(
        self, person: str, channels: Collection[Channel], at: datetime
    ) -> Mapping[str, Channel]:
        """Return the keys of the messages somebody got by these channels, with which of them."""
        rows = models.Touch.objects.using(self._alias).filter(
            person=person,
            at__gt=at - REMEMBERED,
            channel__in=[channel.value for channel in channels],
            state=MessageState.ACCEPTED,
        )
        with ledger_errors():
            found = list(rows.select_related("enrolment"))
        return {key_of_touch(one): Channel(one.channel) for one in found}

    def drop_over(self, at: datetime) -> None:
        """Let go of what may be shown no more."""
        if models.Kept.objects.using(self._alias).filter(until__lte=at).exists():
            execute(self._alias, "drop_kept", text_of(at))

    def _journey(self, name: str, version: int) -> Journey:
        return self._versions.find(name, version).journey


def keep(alias: str, messages: Sequence[tuple[OutboxMessage, Message]]) -> None:
    """Keep accepted messages as they were written, in the caller's transaction."""
    rows = [
        (one.touch, json.dumps(dict(written.parts)), text_of(written.leave_by or one.expires_at))
        for one, written in messages
    ]
    execute(alias, "keep_messages", rows_of(rows))
