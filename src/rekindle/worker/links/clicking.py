"""Keeps who followed a link in a message, and says where it leads."""

from __future__ import annotations

import logging
from hashlib import sha256

from rekindle.content import Click, ClickLinks
from rekindle.errors import WorkError
from rekindle.ledger import Deliveries, mend
from rekindle.messages import DeliveryEvent, DeliveryKind
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel
from rekindle.worker.guarding import Guard

PORTAL = "portal"
BUCKET_SECONDS = 10
"""Whoever follows one link over and over is kept once in so many seconds."""

logger = logging.getLogger(__name__)


def build_links(workspace: Workspace) -> ClickLinks:
    """Return what writes and reads the links of a workspace's messages."""
    config = workspace.config
    return ClickLinks(
        workspace.secret, config.portal.url, config.shop.url, tuple(config.shop.hosts)
    )


class ClickBook:
    """Keeps in the ledger of one workspace who followed a link in a message."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._deliveries = Deliveries(
            workspace.ledger, workspace.book, secret=workspace.secret, terms=workspace.terms
        )

    def keep(self, click: Click, named: str, *, is_machine: bool) -> None:
        """Keep a click; ``named`` tells its link from others, however often it is followed."""
        try:
            self._keep(click, named, is_machine=is_machine)
        except WorkError:
            # Somebody wants to go to the shop; that we could not write it down is ours.
            logger.exception("a click could not be recorded")
            mend(self._workspace.ledger)

    def _keep(self, click: Click, named: str, *, is_machine: bool) -> None:
        at = self._workspace.clock.now()
        bucket = int(at.timestamp()) // BUCKET_SECONDS
        event = DeliveryEvent(
            id=sha256(f"{named} {is_machine} {bucket}".encode()).hexdigest()[:32],
            kind=DeliveryKind.CLICKED,
            channel=Channel(click.channel),
            outlet=PORTAL,
            at=at,
            message=click.message,
            person=click.person,
            is_machine=is_machine,
        )
        guard = Guard(self._workspace)  # several threads come here
        guard.require_newest()
        self._deliveries.take([event], at)
        guard.note()


class LedgerClicks:
    """The links of one workspace, and the ledger that remembers who followed them."""

    def __init__(self, workspace: Workspace) -> None:
        self._links = build_links(workspace)
        self._book = ClickBook(workspace)

    def follow(self, token: str, *, is_machine: bool) -> str:
        """Return where a link leads, "" for nowhere, and keep that it was followed."""
        click = self._links.read(token)
        if click is None or not click.url:
            return ""
        self._book.keep(click, token, is_machine=is_machine)
        return click.url
