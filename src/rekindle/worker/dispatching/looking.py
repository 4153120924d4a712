"""Asks the gate about a message that is about to leave."""

from __future__ import annotations

from datetime import datetime

from rekindle.errors import LedgerError
from rekindle.gate import Decision, GateContext, HouseRules, Policy, decide
from rekindle.journeys import Book, Send, build_policy
from rekindle.ledger import OutboxMessage


class LastLook:
    """The gate, as it stands before the door.

    The message is paid for and its worth and its conditions were judged when it was
    decided: budgets, expectations and the profile are not asked again.
    """

    def __init__(self, book: Book, rules: HouseRules) -> None:
        self._book, self._rules = book, rules
        self._policies: dict[tuple[str, int], Policy] = {}

    def __call__(self, message: OutboxMessage, at: datetime) -> Decision:
        """Return the gate's answer at ``at``."""
        return decide(
            GateContext(
                message.dossier,
                Send(message.step, message.channel, message.template),
                self._policy(message.journey, message.version),
                at,
                is_leaving=True,
            )
        )

    def _policy(self, journey: str, number: int) -> Policy:
        """Return what holds for a version, which never changes once it has started."""
        if (journey, number) not in self._policies:
            for version in self._book.versions(journey):
                key = (journey, version.version)
                self._policies[key] = build_policy(version, self._rules)
        try:
            return self._policies[journey, number]
        except KeyError as error:
            raise LedgerError(
                f"a message is of version {number} of journey {journey}, which is not on "
                "record; restore the ledger from a backup that holds it"
            ) from error
