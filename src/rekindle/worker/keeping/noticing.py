"""Notices that messages were opened, where that is allowed, and keeps it where it may be used."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from rekindle.consent import (
    OPENS,
    OpensMode,
    Use,
    decide_use,
    read_opening,
    sign_opening,
)
from rekindle.errors import WorkError
from rekindle.journeys import Person
from rekindle.ledger import Deliveries, mend
from rekindle.messages import DeliveryEvent, DeliveryKind
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, replace_spans
from rekindle.worker.guarding import Guard
from rekindle.worker.links.clicking import BUCKET_SECONDS

PICTURE = '<img src="{url}" width="1" height="1" alt="" style="display:block;border:0">'
OUTLET = "picture"
END = "</body>"

logger = logging.getLogger(__name__)


def find_uses(
    workspace: Workspace, people: Mapping[str, Person], channel: Channel, at: datetime
) -> Mapping[str, Use]:
    """Return what the openings of people may be noticed for, of those whose may at all."""
    mode = OpensMode(workspace.config.tracking.opens)
    if mode is OpensMode.NEVER or not people:
        return {}
    agreed: dict[str, bool] = {}
    for record in workspace.history.consents_among(people):  # the oldest first
        if record.channel == OPENS and record.at <= at:
            agreed[record.person] = record.granted
    on = at.astimezone(workspace.zone).date()
    uses = {
        person: decide_use(
            mode,
            agreed=agreed.get(person),
            country=card.country,
            channel=channel,
            on=on,
        )
        for person, card in people.items()
    }
    return {person: use for person, use in uses.items() if use is not None}


def add_picture(
    workspace: Workspace, parts: Mapping[str, str], *, message: str, person: str, channel: str
) -> Mapping[str, str]:
    """Return the parts of an e-mail with the picture that reports its opening."""
    html = parts.get("html")
    if not html:
        return parts
    token = sign_opening(workspace.secret, message, person, channel)
    picture = PICTURE.format(url=workspace.config.portal.page("o", token))
    end = html.rfind(END)
    place = len(html) if end < 0 else end
    return {**parts, "html": replace_spans(html, [(place, place, picture)])}


class LedgerOpens:
    """Keeps what the pictures report, in the ledger of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._deliveries = Deliveries(
            workspace.ledger, workspace.book, secret=workspace.secret, terms=workspace.terms
        )

    def notice(self, token: str, *, is_machine: bool) -> bool:
        """Keep that a picture was loaded; return whether there is such a picture.

        What may be done with it is asked anew: somebody may have said no since it left.
        """
        told = read_opening(self._workspace.secret, token)
        if told is None:
            return False
        try:
            self._keep(*told, is_machine=is_machine)
        except WorkError:
            logger.exception("an opening could not be recorded")
            mend(self._workspace.ledger)
        return True

    def _keep(self, message: str, person: str, channel: str, *, is_machine: bool) -> None:
        space, at = self._workspace, self._workspace.clock.now()
        owner = space.book.persons.find([person])[person]
        use = find_uses(space, space.history.people([owner]), Channel(channel), at).get(owner)
        if use is None:
            return
        # Not once for ever: what a scanner loads within seconds must not hide its reader.
        bucket = int(at.timestamp()) // BUCKET_SECONDS
        named = f"{message} {person} {is_machine} {bucket}"
        event = DeliveryEvent(
            id=sha256(named.encode()).hexdigest()[:32],
            kind=DeliveryKind.OPENED,
            channel=Channel(channel),
            outlet=OUTLET,
            at=at,
            message=message,
            person=person,
            is_machine=is_machine,
        )
        guard = Guard(space)  # several threads come here
        guard.require_newest()
        if use is Use.DEED:
            self._deliveries.take([event], at)
        else:
            self._deliveries.note_open(event, at)
        guard.note()
