"""A message as an e-mail, in the form that mail servers and mailbox providers ask for."""

from rekindle.channels.email.writing.mime import (
    build_bytes,
    build_message,
    checked_mail,
    envelope_address,
)
from rekindle.channels.email.writing.model import OutgoingMail, write_mail

__all__ = [
    "OutgoingMail",
    "build_bytes",
    "build_message",
    "checked_mail",
    "envelope_address",
    "write_mail",
]
