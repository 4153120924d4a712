"""Writes each message: the template, the person's card and profile, and their links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from rekindle.channels import OutgoingMail
from rekindle.consent import sign_unsubscribe
from rekindle.content import Templates, load_templates
from rekindle.errors import ConfigError, RekindleError
from rekindle.ledger import OutboxMessage
from rekindle.profiles import NAMES
from rekindle.runtime.audience import LiveAudience
from rekindle.runtime.workspace import Workspace


class Composer:
    """Composes messages for one workspace."""

    def __init__(self, workspace: Workspace, audience: LiveAudience) -> None:
        self._workspace, self._audience = workspace, audience

    @cached_property
    def templates(self) -> Templates:
        """Return the workspace's templates, compiled."""
        return load_templates(self._workspace.directory / "templates")

    def compose(
        self, messages: Sequence[OutboxMessage]
    ) -> Mapping[str, OutgoingMail | RekindleError]:
        """Return each message's mail by its key, or why it cannot be written.

        One that cannot be written does not keep the others back.
        """
        at = self._workspace.clock.now()
        people = {message.person for message in messages}
        profiles = self._audience.describe(people, at)
        cards = self._workspace.history.people(people)
        mails: dict[str, OutgoingMail | RekindleError] = {}
        for message in messages:
            try:
                require_postal_address(self._workspace)
                card, profile = cards.get(message.person), profiles.get(message.person, {})
                names = dict(card.properties) if card else {}
                mails[message.key] = self._mail(message, names, profile, at)
            except RekindleError as error:
                mails[message.key] = error
        return mails

    def _mail(
        self,
        message: OutboxMessage,
        names: Mapping[str, str],
        profile: Mapping[str, Any],
        at: datetime,
    ) -> OutgoingMail:
        email = self._workspace.config.email
        link = self.unsubscribe_url(message.person)
        full_name = " ".join(filter(None, (names.get("first_name"), names.get("last_name"))))
        context = {
            **{name: _shown(profile.get(name)) for name in NAMES},
            "first_name": names.get("first_name", ""),
            "name": full_name,
            "email": message.address,
            "shop": {
                "name": self._workspace.config.workspace.name,
                "postal_address": email.postal_address,
            },
            "unsubscribe_url": link,
        }
        rendered = self.templates.render(message.template, context)
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

    def unsubscribe_url(self, person: str) -> str:
        """Return the signed link on which ``person`` leaves the list (RFC 8058)."""
        space = self._workspace
        token = sign_unsubscribe(space.secret, person, space.config.email.list_id)
        return f"{space.config.portal.url.rstrip('/')}/u/{token}"


def require_postal_address(workspace: Workspace) -> None:
    """Refuse to write to anyone without saying where the business is.

    Raises:
        ConfigError: ``email.postal_address`` is empty.
    """
    if not workspace.config.email.postal_address.strip():
        raise ConfigError(
            "email.postal_address is empty; every marketing message has to carry one "
            "(CAN-SPAM, 15 U.S.C. § 7704(a)(5)): set it in rekindle.toml"
        )


def _shown(value: Any) -> object:
    """Return a profile value as a template shows it."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return value.isoformat() if isinstance(value, date) else value
