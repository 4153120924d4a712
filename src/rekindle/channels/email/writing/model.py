"""An e-mail ready to leave, and how a message of any channel becomes one."""

from __future__ import annotations

from datetime import datetime

from rekindle.channels.email.settings import EmailSettings
from rekindle.messages import Message
from rekindle.vocabulary import value_by_the_million


@value_by_the_million(frozen=True, slots=True)
class OutgoingMail:
    """One e-mail, complete. ``key`` names it for ever: the same key is the same message.

    ``list_id`` and ``unsubscribe_url`` are both given, or both empty for a message
    nobody can unsubscribe from.
    """

    key: str
    to_address: str
    to_name: str
    from_address: str
    from_name: str
    subject: str
    html: str
    text: str
    list_id: str
    unsubscribe_url: str
    at: datetime


def write_mail(message: Message, settings: EmailSettings) -> OutgoingMail:
    """Return a message as an e-mail from the business's own address.

    Only what can be left names a list (RFC 2369): a message without a link has neither.
    """
    parts, link = message.parts, message.links.unsubscribe
    return OutgoingMail(
        key=message.key,
        to_address=message.address.value,
        to_name=message.name,
        from_address=settings.from_address,
        from_name=settings.from_name,
        subject=parts["subject"],
        html=parts["html"],
        text=parts["text"],
        list_id=settings.list_id if link else "",
        unsubscribe_url=link,
        at=message.at,
    )
