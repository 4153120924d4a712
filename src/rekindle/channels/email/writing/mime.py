"""Turns a message into RFC 5322 form, with everything mailbox providers ask of bulk mail.

The bytes are put together here and not by the library's message classes: those take
milliseconds a message, and fold links and names in ways that mailbox providers misread.
"""

from __future__ import annotations

import re
from base64 import b64encode, encodebytes
from binascii import b2a_qp
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple

from rekindle.channels.email.writing.model import OutgoingMail
from rekindle.errors import MalformedAddressError, TemporaryDeliveryError
from rekindle.messages import spoken_mail_address
from rekindle.vocabulary import PiecedText

LINE_END = "\r\n"
FOLD = f"{LINE_END} "
# RFC 5322 section 2.1.1; identifiers and links stay on one line whatever their length.
LINE_LENGTH = 78

KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")
# What RFC 3986 lets an address consist of; "<" and ">" would end the header's value.
LINK = re.compile(r"https?://[!#-;=?-~]{1,900}")
DOMAIN = re.compile(r"[A-Za-z0-9.-]{1,253}")
# Characters that end a line somewhere, or are none.
UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

PLAIN = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?)?")
ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")  # RFC 5322 section 3.2.3
ENCODED = "=?"
# A word of 75 characters is the limit (RFC 2047 section 2); 66 leave room for "Subject: ".
QUOTED_ROOM = 54
BASE64_ROOM = 39
# What a word in a name may hold as it is (RFC 2047 section 5).
UNQUOTED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"
QUOTED = [chr(b) if b in UNQUOTED else "_" if b == 0x20 else f"={b:02X}" for b in range(256)]

SHORT_ASCII_LINES = re.compile(rb"(?:[\t -~]{0,78}\r\n)+")
SOFT_BREAK = b"=\r\n"
BOUNDARY = "=_"  # neither quoted-printable nor base64 can hold it (RFC 2045 section 6.7)
READABLE = policy.default.clone(linesep=LINE_END, refold_source="none")


def build_bytes(mail: OutgoingMail) -> bytes:
    """Return ``mail`` as text and HTML alternatives, the same for the same mail.

    Lines end with CRLF, the last one too; dots are not yet doubled for SMTP.
    ``List-Unsubscribe``, ``List-Unsubscribe-Post`` (RFC 8058) and ``List-ID`` (RFC 2919)
    are set together or not at all. The Message-ID follows from the key. Names become
    one line; anything else that would start a line of its own is refused. A recipient's
    local part beyond ASCII makes the header UTF-8 (RFC 6532).

    Raises:
        MalformedAddressError: the recipient's address is none.
        TemporaryDeliveryError: something else cannot be written down, which is no
            fault of the recipient's.
    """
    to = envelope_address(mail.to_address)
    try:
        boundary = f"{BOUNDARY}{_key(mail)[:40]}"
        delimiter = f"--{boundary}".encode()
        return b"\r\n".join(
            (
                LINE_END.join(_headers(mail, to, boundary)).encode(),
                b"",
                delimiter,
                _part(mail.text, b"plain"),
                delimiter,
                _part(mail.html, b"html"),
                delimiter + b"--",
                b"",
            )
        )
    except ValueError as error:
        raise _unwritable(mail, error) from error


def build_message(mail: OutgoingMail) -> EmailMessage:
    """Return what ``build_bytes`` writes, taken apart for reading.

    Raises:
        MalformedAddressError, TemporaryDeliveryError: as ``build_bytes``.
    """
    return message_from_bytes(build_bytes(mail), policy=READABLE)


def checked_mail(mail: OutgoingMail) -> OutgoingMail:
    """Return a mail that somebody else writes down, held to what ``build_bytes`` asks of it.

    Names are one line, the recipient's address is as servers are told it.

    Raises:
        MalformedAddressError, TemporaryDeliveryError: as ``build_bytes``.
    """
    to = envelope_address(mail.to_address)
    try:
        for _ in _headers(mail, to, BOUNDARY):
            pass  # each is checked as it is written
        for part in (mail.text, mail.html):
            part.encode()
    except ValueError as error:
        raise _unwritable(mail, error) from error
    return replace(
        mail,
        to_address=to,
        to_name=_one_line(mail.to_name),
        from_address=_checked(mail.from_address),
        from_name=_one_line(mail.from_name),
    )


def envelope_address(address: str) -> str:
    """Return an address as servers are told it: one address, its domain in ASCII (RFC 3490).

    Raises:
        MalformedAddressError: it is no single e-mail address.
    """
    try:
        return _checked(address)
    except ValueError as error:
        raise MalformedAddressError(str(error)) from error


def _unwritable(mail: OutgoingMail, error: ValueError) -> TemporaryDeliveryError:
    return TemporaryDeliveryError(
        f"message {mail.key[:12]!r} to {mail.to_address!r} cannot be written: {error}; "
        "check [email] and the template"
    )


def _checked(address: str) -> str:
    spoken = spoken_mail_address(address)
    if spoken is None:
        raise ValueError(f"{address!r} is no e-mail address")
    return spoken


def _headers(mail: OutgoingMail, to: str, boundary: str) -> Iterator[str]:
    sender = _checked(mail.from_address)
    if not sender.isascii():
        raise ValueError(f"the sender {mail.from_address!r} holds letters few servers take")
    yield _mailbox("From", sender, mail.from_name)
    yield _mailbox("To", to, mail.to_name)
    yield _subject(mail.subject)
    yield f"Date: {_date(mail.at)}"
    yield f"Message-ID: <{mail.key}@{sender.rpartition('@')[2]}>"
    yield from _list_headers(mail)
    yield "MIME-Version: 1.0"
    yield f'Content-Type: multipart/alternative;{FOLD}boundary="{boundary}"'


@lru_cache(maxsize=64)  # a batch is written at one instant
def _date(at: datetime) -> str:
    return format_datetime(at)


def _mailbox(header: str, address: str, name: str) -> str:
    one_line = _one_line(name)
    if not one_line:
        return f"{header}: {address}"
    line = f"{header}: {_phrase(one_line)}"
    is_short = len(line.rpartition("\n")[2]) + len(address) + 3 <= LINE_LENGTH
    return f"{line}{' ' if is_short else FOLD}<{address}>"


def _one_line(name: str) -> str:
    return " ".join(UNWRITABLE.sub(" ", name).split())


@lru_cache(maxsize=1024)  # one sender writes to thousands, in a few subjects
def _phrase(name: str) -> str:
    if not name.isascii() or ENCODED in name or len(name) > LINE_LENGTH // 2:
        return _encoded_words(name)
    if ATOMS.fullmatch(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


@lru_cache(maxsize=1024)
def _subject(subject: str) -> str:
    if "\r" in subject or "\n" in subject:
        raise ValueError("its subject has more than one line")
    if PLAIN.fullmatch(subject) and ENCODED not in subject:
        lines = list(_folded(f"Subject: {subject}"))
        if max(map(len, lines)) <= LINE_LENGTH:
            return LINE_END.join(lines)
    return f"Subject: {_encoded_words(subject)}"


def _folded(line: str) -> Iterator[str]:
    """Yield the lines of a header, broken before single spaces and never after the name."""
    while len(line) > LINE_LENGTH:
        at = line.rfind(" ", len("Subject: "), LINE_LENGTH + 1)
        if at < 1 or line[at - 1] == " " or line[at + 1] == " ":
            break
        yield line[:at]
        line = line[at:]
    yield line


def _encoded_words(text: str) -> str:
    """Return ``text`` in the words of RFC 2047, in the shorter of its two encodings."""
    quoted = ["".join(QUOTED[byte] for byte in letter.encode()) for letter in text]
    if sum(map(len, quoted)) * 3 <= len(text.encode()) * 4:
        words = [f"=?utf-8?q?{word}?=" for word in _packed(quoted, QUOTED_ROOM, len)]
    else:
        parts = _packed(text, BASE64_ROOM, lambda letter: len(letter.encode()))
        words = [f"=?utf-8?b?{b64encode(part.encode()).decode()}?=" for part in parts]
    return FOLD.join(words)


def _packed(units: Iterable[str], room: int, size: Callable[[str], int]) -> Iterator[str]:
    """Yield the units joined into words of at most ``room``; a letter is never torn apart."""
    word: list[str] = []
    used = 0
    for unit in units:
        if used + size(unit) > room:
            yield "".join(word)
            word, used = [], 0
        word.append(unit)
        used += size(unit)
    yield "".join(word)


def _key(mail: OutgoingMail) -> str:
    if not KEY.fullmatch(mail.key):
        raise ValueError("its key holds more than 200 letters, digits, '.', '_' and '-'")
    return mail.key


def _list_headers(mail: OutgoingMail) -> Iterator[str]:
    if bool(mail.list_id) != bool(mail.unsubscribe_url):
        raise ValueError("a list id and an unsubscribe link are given together or not at all")
    if not mail.list_id:
        return
    if not DOMAIN.fullmatch(mail.list_id) or not LINK.fullmatch(mail.unsubscribe_url):
        raise ValueError("its list id or unsubscribe link is none")
    yield f"List-ID: <{mail.list_id}>"
    yield f"List-Unsubscribe: <{mail.unsubscribe_url}>"
    yield "List-Unsubscribe-Post: List-Unsubscribe=One-Click"


def _part(text: str, subtype: bytes) -> bytes:
    encoding, written = _transferable(text)
    return b'Content-Type: text/%b; charset="utf-8"\r\nContent-Transfer-Encoding: %b\r\n\r\n%b' % (
        subtype,
        encoding,
        written,
    )


def _transferable(text: str) -> tuple[bytes, bytes]:
    """Return the shortest transfer encoding that every server leaves alone, and its bytes."""
    if isinstance(text, PiecedText) and (written := _quoted_by_pieces(text.pieces)):
        return b"quoted-printable", written
    body = b"\r\n".join([*text.encode().splitlines(), b""]) or b"\r\n"
    if SHORT_ASCII_LINES.fullmatch(body) and b"--=_" not in body:
        return b"7bit", body
    quoted = b2a_qp(body)
    if len(quoted) * 3 <= len(body) * 4:
        return b"quoted-printable", quoted
    return b"base64", encodebytes(body).replace(b"\n", b"\r\n")


def _quoted_by_pieces(pieces: Sequence[str]) -> bytes:
    """Return a text as quoted-printable where that is best for it, else nothing.

    To encode a letter costs a third of what it costs to write it, and most of it was in the
    letter before.
    """
    shared = [_quoted(piece) for piece in pieces[::2]]
    if all(one.is_plain for one in shared):
        return b""
    own = [_quoted(piece) for piece in pieces[1::2]]
    if sum(len(one.written) * 3 - one.size * 4 for one in (*shared, *own)) > 0:
        return b""
    written = [one.written for one in shared]
    both = [b""] * len(pieces)
    both[::2], both[1::2] = written, [one.written for one in own]
    whole = b"".join(both)
    return whole + b"\r\n" if whole.endswith(SOFT_BREAK) else whole


class _Quoted(NamedTuple):
    """A piece as quoted-printable: at the beginning of a line, and so is what follows.

    ``size`` is its length before. One that ``is_plain`` needs no encoding by itself.
    """

    written: bytes
    size: int
    is_plain: bool


@lru_cache(maxsize=1024)  # the next letter has the same pieces, and a letter has its own twice
def _quoted(piece: str) -> _Quoted:
    lines = piece.encode().splitlines()
    if not piece or piece[-1] in LINE_END:
        lines.append(b"")
    body = b"\r\n".join(lines)
    # The line end in front tells the function which one to write, and the letter at the end
    # keeps a space from being the last of its line, and a place free for the soft break.
    written = b2a_qp(b"\r\n%b~" % body)[2:-1]
    if written and not written.endswith(b"\r\n"):
        written += SOFT_BREAK
    return _Quoted(written, len(body), SHORT_ASCII_LINES.fullmatch(body + b"\r\n") is not None)
