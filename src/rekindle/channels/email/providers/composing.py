"""Builds a mail as django-anymail takes it, with what mailbox providers ask of bulk mail."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from rekindle.channels.email.providers.table import Provider
from rekindle.channels.email.writing import OutgoingMail

KEY_FIELD = "touch"
"""The name under which a provider keeps our key of a message, and gives it back."""


def build_mail(mail: OutgoingMail, provider: Provider) -> Any:
    """Return a checked mail as an ``AnymailMessage``.

    Nothing is tracked by the provider: our own links say who may be followed.
    """
    from anymail.message import AnymailMessage

    message = AnymailMessage(
        subject=mail.subject,
        body=mail.text,
        from_email=_mailbox(mail.from_name, mail.from_address),
        to=[_mailbox(mail.to_name, mail.to_address)],
        headers=_headers(mail),
        connection=_NO_CONNECTION,
    )
    message.attach_alternative(mail.html, "text/html")
    if provider.has_metadata:
        message.metadata = {KEY_FIELD: mail.key}
    if provider.switches_tracking:
        message.track_opens = message.track_clicks = False
    return message


def add_key(payload: Any, provider: Provider, key: str) -> None:
    """Let a provider that recognises a message by its key know ours.

    Anymail has no word for it: Resend takes it as a header of the request, Brevo as one of
    the mail, and as a UUID.
    """
    if provider.name == "resend":
        payload.headers["Idempotency-Key"] = key
    elif provider.name == "brevo":
        payload.data["headers"]["idempotencyKey"] = str(key_as_uuid(key))


def key_as_uuid(key: str) -> UUID:
    """Return a key as a UUID of RFC 9562's version 8, the same for the same key."""
    digest = bytearray(hashlib.sha256(key.encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return UUID(bytes=bytes(digest))


def _headers(mail: OutgoingMail) -> dict[str, str]:
    """Return the list headers of RFC 2369, 2919 and 8058, where there is a list to leave."""
    if not mail.list_id:
        return {}
    return {
        "List-ID": f"<{mail.list_id}>",
        "List-Unsubscribe": f"<{mail.unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _mailbox(name: str, address: str) -> str:
    """Return a mailbox as anymail reads it: a quoted name whatever it holds."""
    if not name:
        return address
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>'


class _NoConnection:
    """Stands where Django looks for a connection; the outlet holds its own."""


_NO_CONNECTION = _NoConnection()
