"""What providers report over HTTP: checked by the channel it is of, and acted on at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rekindle.channels import discover
from rekindle.config import load_secrets
from rekindle.errors import ConfigError, WorkError
from rekindle.ledger import Deliveries, mend
from rekindle.messages import Answering, Webhook, WebhookAnswer, WebhookRequest
from rekindle.runtime import Workspace
from rekindle.worker.guarding import Guard


class ProviderReports:
    """The ways back in of one workspace, by the name of their outlet."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._webhooks = _build_webhooks(workspace)
        self._deliveries = Deliveries(
            workspace.ledger, workspace.book, secret=workspace.secret, terms=workspace.terms
        )

    @property
    def outlets(self) -> frozenset[str]:
        """Return the outlets that something may be reported of."""
        return frozenset(self._webhooks)

    def now(self) -> datetime:
        """Return the present instant, UTC-aware."""
        return self._workspace.clock.now()

    def take(self, outlet: str, request: WebhookRequest) -> int:
        """Do what a report calls for; return how much of it was new.

        Raises:
            ForgedReportError, EventError: as ``Webhook.read``.
            WorkError: the ledger refused; the provider may send the same again.
        """
        events = self._webhooks[outlet].read(request)
        guard = Guard(self._workspace)  # several threads come here
        try:
            guard.require_newest()
            taken = self._deliveries.take(events, self.now())
        except WorkError:
            mend(self._workspace.ledger)  # the next request opens a connection of its own
            raise
        guard.note()
        return taken

    def answer(self, outlet: str, request: WebhookRequest) -> WebhookAnswer | None:
        """Return what the provider of a report that was taken is to be answered, if anything."""
        webhook = self._webhooks[outlet]
        return webhook.answer(request) if isinstance(webhook, Answering) else None


def _build_webhooks(workspace: Workspace) -> Mapping[str, Webhook]:
    found: dict[str, Webhook] = {}
    for name, folder in discover().items():
        for entry in folder.outlets:
            if entry.webhook is None:
                continue
            secrets = load_secrets(entry.secrets)
            try:
                found[entry.name] = entry.webhook(workspace.config.channel(name), secrets=secrets)
            except ConfigError:
                continue  # not set up: nothing of it is believed
    return found
