"""Turns a message into RFC 5322 form, with everything mailbox providers ask of bulk mail."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from rekindle.channels.model import OutgoingMail
from rekindle.errors import PermanentDeliveryError

# RFC 5322 § 2.1.1 allows 998 characters a line. Folded at 78, a long unsubscribe link
# would be written as encoded words, which mailbox providers do not read as a link.
LONG_LINES = SMTP.clone(max_line_length=998)


def build_message(mail: OutgoingMail) -> EmailMessage:
    """Return ``mail`` as text and HTML alternatives.

    ``List-Unsubscribe``, ``List-Unsubscribe-Post`` (RFC 8058) and ``List-ID`` (RFC 2919)
    are set together or not at all. The Message-ID follows from the key.

    Raises:
        PermanentDeliveryError: an address or a header cannot be written down, so no
            server would ever take it.
    """
    try:
        message = EmailMessage(policy=LONG_LINES)
        message["From"] = _address(mail.from_address, mail.from_name)
        message["To"] = _address(mail.to_address, mail.to_name)
        message["Subject"] = mail.subject
        message["Date"] = mail.at
        message["Message-ID"] = f"<{mail.key}@{_domain(mail.from_address)}>"
        _add_list_headers(message, mail)
    except (ValueError, IndexError) as error:
        raise PermanentDeliveryError(
            f"message {mail.key[:12]} to {mail.to_address!r} cannot be written: {error}"
        ) from error
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _add_list_headers(message: EmailMessage, mail: OutgoingMail) -> None:
    if bool(mail.list_id) != bool(mail.unsubscribe_url):
        raise ValueError("a list id and an unsubscribe link are given together or not at all")
    if mail.list_id:
        message["List-ID"] = f"<{mail.list_id}>"
        message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _address(address: str, name: str) -> Address:
    """Return an address; its domain in the ASCII form mail servers speak (RFC 5891)."""
    local, at, domain = address.strip().rpartition("@")
    if not at or not local or not domain:
        raise ValueError(f"{address!r} is no e-mail address")
    return Address(name, username=local, domain=domain.encode("idna").decode("ascii"))


def _domain(address: str) -> str:
    return address.rpartition("@")[2].encode("idna").decode("ascii")
