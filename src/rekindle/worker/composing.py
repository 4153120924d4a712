"""Writes each message: the template, the person's card and profile, and their links."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from rekindle.channels import OutgoingMail, require_postal_address
from rekindle.consent import sign_unsubscribe
from rekindle.content import MARKETING_VARIABLES, Casts, Templates, load_templates
from rekindle.errors import BrokenTemplateError, RekindleError
from rekindle.journeys import Person
from rekindle.journeys.population import LiveAudience
from rekindle.ledger import OutboxMessage
from rekindle.profiles import FAMILIES
from rekindle.runtime import Workspace
from rekindle.vocabulary import Purpose

logger = logging.getLogger(__name__)

Profiles = Mapping[str, Mapping[str, Any]]


class Composer:
    """Composes messages for one workspace."""

    def __init__(self, workspace: Workspace, audience: LiveAudience) -> None:
        self._workspace, self._audience = workspace, audience
        self._known: dict[str, frozenset[str]] = {}
        self._unsound: dict[tuple[str, str, int], BrokenTemplateError | None] = {}

    @cached_property
    def templates(self) -> Templates:
        """Return the workspace's templates, compiled."""
        return load_templates(self._workspace.directory / "templates")

    @cached_property
    def _casts(self) -> Casts:
        return Casts(self.templates)

    def compose(
        self, messages: Sequence[OutboxMessage]
    ) -> Mapping[str, OutgoingMail | RekindleError]:
        """Return each message's mail by its key, or why it cannot be written.

        One that cannot be written does not keep the others back, whatever is wrong with it.
        """
        at = self._workspace.clock.now()
        profiles = self._profiles(messages, at)
        cards = self._workspace.history.people({message.person for message in messages})
        mails: dict[str, OutgoingMail | RekindleError] = {}
        for message in messages:
            try:
                require_postal_address(self._workspace.config.email)
                profile = profiles.get(message.person, {})
                mails[message.key] = self._mail(message, cards.get(message.person), profile, at)
            except RekindleError as error:
                mails[message.key] = error
            except Exception as error:
                logger.exception("message %s cannot be written", message.key[:12])
                mails[message.key] = RekindleError(f"{type(error).__name__}: {error}")
        return mails

    def unsubscribe_url(self, person: str) -> str:
        """Return the signed link on which ``person`` leaves the list (RFC 8058)."""
        space = self._workspace
        token = sign_unsubscribe(space.secret, person, space.config.email.list_id)
        return f"{space.config.portal.url.rstrip('/')}/u/{token}"

    def _profiles(self, messages: Sequence[OutboxMessage], at: datetime) -> Profiles:
        """Return the profiles of those whose template shows something of theirs."""
        taking = [one for one in messages if self._columns(one.template)]
        if not taking:
            return {}
        columns = frozenset().union(*(self._columns(one.template) for one in taking))
        return self._audience.describe({one.person for one in taking}, at, columns)

    def _columns(self, template: str) -> frozenset[str]:
        """Return the profile columns a template takes."""
        if template not in self._known:
            try:
                used = self.templates.variables(template)
                self._known[template] = used & FAMILIES.by_column.keys()
            except RekindleError:
                return frozenset()  # said of the message itself when it is written
        return self._known[template]

    def _require_sound(self, message: OutboxMessage) -> None:
        """Refuse a template that was changed for the worse since its journey started.

        Raises:
            BrokenTemplateError: nobody can be written to with it, or not for this purpose.
        """
        use = (message.template, message.journey, message.version)
        if use not in self._unsound:
            self._unsound[use] = self._find_fault(message)
        if (fault := self._unsound[use]) is not None:
            raise fault

    def _find_fault(self, message: OutboxMessage) -> BrokenTemplateError | None:
        versions = self._workspace.book.versions(message.journey)
        purposes = {one.version: one.journey.purpose for one in versions}
        is_marketing = purposes.get(message.version) is not Purpose.TRANSACTIONAL
        required = MARKETING_VARIABLES if is_marketing else ()
        try:
            self.templates.check(message.template, FAMILIES.names, required=required)
        except BrokenTemplateError as error:
            return error
        return None

    def _mail(
        self, message: OutboxMessage, card: Person | None, profile: Mapping[str, Any], at: datetime
    ) -> OutgoingMail:
        self._require_sound(message)
        email = self._workspace.config.email
        link = self.unsubscribe_url(message.person)
        names = card.properties if card else {}
        full_name = " ".join(filter(None, (names.get("first_name"), names.get("last_name"))))
        context: dict[str, object] = {
            "first_name": names.get("first_name", ""),
            "name": full_name,
            "email": message.address,
            "variant": message.variant,
            "shop": self._shop,
            "unsubscribe_url": link,
        }
        for column in self._columns(message.template):
            context[column] = _shown(profile.get(column))
        rendered = self._casts.render(message.template, context)
        return OutgoingMail(
            key=message.key,
            to_address=message.address,
            to_name=full_name,
            from_address=email.from_address,
            from_name=email.from_name,
            subject=rendered.subject,
            html=rendered.html,
            text=rendered.text,
            list_id=email.list_id,
            unsubscribe_url=link,
            at=at,
        )

    @cached_property
    def _shop(self) -> Mapping[str, str]:
        config = self._workspace.config
        return {
            "name": config.workspace.name,
            "postal_address": config.email.postal_address,
        }


def _shown(value: Any) -> object:
    """Return a profile value as a template shows it."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return value.isoformat() if isinstance(value, date) else value
