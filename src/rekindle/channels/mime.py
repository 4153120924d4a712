"""Turns a message into RFC 5322 form, with everything mailbox providers ask of bulk mail."""

from __future__ import annotations

import re
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy

from rekindle.channels.model import OutgoingMail
from rekindle.errors import PermanentDeliveryError, TemporaryDeliveryError

KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
# What RFC 3986 lets an address consist of; "<" and ">" would end the header's value.
LINK = re.compile(r"https?://[!#-;=?-~]+")
# No quoted local parts: hardly anyone has one, and many servers take them apart wrongly.
LOCAL = re.compile(r"""[^\s@"(),:;<>\[\]\\\x00-\x1f\x7f]{1,64}""")
LINE_END = "\r\n"
IDENTIFIERS = frozenset({"list-id", "list-unsubscribe", "message-id"})
DOMAIN = re.compile(r"[A-Za-z0-9.-]{1,253}")


class _Policy(EmailPolicy):
    """RFC 5322, with identifiers on one line (of 998 characters at most, § 2.1.1).

    Folded at 78 like the rest, a long unsubscribe link would be written as encoded
    words, which mailbox providers do not read as a link.
    """

    def fold(self, name: str, value: str) -> str:
        if name.lower() in IDENTIFIERS:
            return f"{name}: {value}{LINE_END}"
        if name == "Subject" and not value.isascii():
            # The newer code of the library drops spaces between encoded words.
            written = Header(value, "utf-8", maxlinelen=75, header_name=name).encode(
                linesep=LINE_END
            )
            return f"{name}: {written}{LINE_END}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("utf-8" if self.utf8 else "ascii")


def build_message(mail: OutgoingMail) -> EmailMessage:
    """Return ``mail`` as text and HTML alternatives, the same for the same mail.

    ``List-Unsubscribe``, ``List-Unsubscribe-Post`` (RFC 8058) and ``List-ID`` (RFC 2919)
    are set together or not at all. The Message-ID follows from the key. Names become
    one line; anything else that would start a line of its own is refused. A local part
    beyond ASCII makes the whole message UTF-8 (RFC 6532).

    Raises:
        PermanentDeliveryError: the recipient's address is none.
        TemporaryDeliveryError: something else cannot be written down, which is no
            fault of the recipient's.
    """
    to = envelope_address(mail.to_address)
    try:
        message = EmailMessage(policy=_Policy(linesep=LINE_END, utf8=not to.isascii()))
        message["From"] = _named(_checked(mail.from_address), mail.from_name)
        message["To"] = _named(to, mail.to_name)
        message["Subject"] = mail.subject
        message["Date"] = mail.at
        message["Message-ID"] = f"<{_key(mail)}@{_checked(mail.from_address).partition('@')[2]}>"
        _add_list_headers(message, mail)
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        message.set_boundary(f"=_{mail.key[:40]}")
    except ValueError as error:
        raise TemporaryDeliveryError(
            f"message {mail.key[:12]!r} to {mail.to_address!r} cannot be written: {error}; "
            "check [email] and the template"
        ) from error
    return message


def envelope_address(address: str) -> str:
    """Return an address as servers are told it: one address, its domain in ASCII (RFC 3490).

    Raises:
        PermanentDeliveryError: it is no single e-mail address.
    """
    try:
        return _checked(address)
    except ValueError as error:
        raise PermanentDeliveryError(str(error)) from error


def _checked(address: str) -> str:
    local, _, domain = address.strip().rpartition("@")
    try:
        spoken = domain.encode("idna").decode("ascii")
    except UnicodeError:
        spoken = ""
    if not LOCAL.fullmatch(local) or not DOMAIN.fullmatch(spoken):
        raise ValueError(f"{address!r} is no e-mail address")
    return f"{local}@{spoken}"


def _named(address: str, name: str) -> Address:
    local, _, domain = address.partition("@")
    one_line = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return Address(one_line, username=local, domain=domain)


def _key(mail: OutgoingMail) -> str:
    if not KEY.fullmatch(mail.key):
        raise ValueError("its key holds more than letters, digits, '.', '_' and '-'")
    return mail.key


def _add_list_headers(message: EmailMessage, mail: OutgoingMail) -> None:
    if bool(mail.list_id) != bool(mail.unsubscribe_url):
        raise ValueError("a list id and an unsubscribe link are given together or not at all")
    if not mail.list_id:
        return
    if not DOMAIN.fullmatch(mail.list_id) or not LINK.fullmatch(mail.unsubscribe_url):
        raise ValueError("its list id or unsubscribe link is none")
    message["List-ID"] = f"<{mail.list_id}>"
    message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
