"""One connection to an SMTP server, and what each of its answers means for a message.

SMTP has no idempotency key. What matters is where an error falls: before the server was
handed the message it is safe to try again; after that, a lost connection leaves the
message's fate unknown (RFC 5321 § 4.2.5 and § 6.1: responsibility passes with the 250).
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator

from rekindle.channels.email.settings import SmtpSettings
from rekindle.channels.email.smtp.hearing import PatientSmtp, PatientSmtpTls
from rekindle.channels.email.smtp.replies import (
    FIRST_PERMANENT,
    GOING_AWAY,
    Reply,
    Stage,
    find_wait,
    judge_refusal,
)
from rekindle.errors import (
    DeliveryError,
    OutletFaultError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.vocabulary import value_by_the_million

GO_AHEAD = 354
LOST = (smtplib.SMTPException, OSError)


@value_by_the_million(frozen=True, slots=True)
class Letter:
    """A message in its envelope. ``name`` says in errors which one it is."""

    name: str
    sender: str
    recipient: str
    body: bytes


class Connection:
    """One connection, for one thread at a time. It is opened by making it.

    ``is_open`` turns false when the server or an error ended it; ``messages_count`` says
    how many messages were begun on it.

    Raises:
        TemporaryDeliveryError: the server is out of reach.
        OutletFaultError: it refuses the login.
    """

    def __init__(self, settings: SmtpSettings, password: str) -> None:
        self._where = f"{settings.host}:{settings.port}"
        self._server = _connected(settings, password, self._where)
        self._is_piped = self._server.has_extn("pipelining")
        self._replies: Iterator[Reply] = iter(())
        self.is_open = True
        self.messages_count = 0

    def begin(self, letter: Letter) -> bool:
        """Name the sender; return False where the server left since the last message.

        Raises:
            DeliveryError: the server refuses, or left a connection that was new.
        """
        options = self._options(letter)
        was_kept = self.messages_count > 0
        self.messages_count += 1
        try:
            self._replies = self._announced(letter, options)
            reply = next(self._replies)
        except LOST as error:
            self.drop()
            if was_kept:
                return False
            raise self._broken(error) from error
        if was_kept and reply.code == GOING_AWAY:
            self.drop()
            return False
        self._expect(reply, Stage.SENDER, letter)
        return True

    def hand_over(self, letter: Letter) -> Reply:
        """Name the recipient, hand the message over and return the server's last word.

        Raises:
            DeliveryError: by ``judge_refusal``; ``UnknownFateError`` where the server
                was given the message and gave no answer that can be understood.
        """
        try:
            self._expect(next(self._replies), Stage.RECIPIENT, letter)
            self._expect(next(self._replies), Stage.DATA, letter)
        except LOST as error:
            self.drop()
            raise self._broken(error) from error
        return self._hand_over(letter)

    def close(self) -> None:
        """Say goodbye to the server."""
        if self.is_open:
            self.is_open = False
            try:
                self._server.quit()
            except LOST:
                self._server.close()

    def drop(self) -> None:
        """Let go of the connection without a word."""
        self.is_open = False
        self._server.close()

    def _announced(self, letter: Letter, options: tuple[str, ...]) -> Iterator[Reply]:
        """Return the replies to the sender, the recipient and the wish to hand over.

        Where the server takes it (RFC 2920) all three leave at once, which saves two
        journeys there and back; else each leaves when its reply is asked for.
        """
        commands = (
            " ".join((f"MAIL FROM:<{letter.sender}>", *options)),
            f"RCPT TO:<{letter.recipient}>",
            "DATA",
        )
        lines = [f"{command}\r\n".encode() for command in commands]
        if self._is_piped:
            self._server.send(b"".join(lines))
            lines = [b""] * len(lines)
        return map(self._asked, lines)

    def _asked(self, line: bytes) -> Reply:
        if line:
            self._server.send(line)
        return _reply(self._server.getreply())

    def _options(self, letter: Letter) -> tuple[str, ...]:
        size = (f"SIZE={len(letter.body)}",) if self._server.has_extn("size") else ()
        if letter.recipient.isascii():
            return size
        if not self._server.has_extn("smtputf8"):
            raise RefusedContentError(
                f"{self._where} does not take addresses like {letter.recipient!r} (RFC 6531)"
            )
        return (*size, "SMTPUTF8", "BODY=8BITMIME")

    def _hand_over(self, letter: Letter) -> Reply:
        # Every line ends with CRLF, and the first is a header: RFC 5321 section 4.5.2.
        body = letter.body.replace(b"\n.", b"\n..") + b".\r\n"
        try:
            reply = self._asked(body)
        except LOST as error:
            self.drop()
            raise UnknownFateError(
                f"{self._where} was lost while it took message {letter.name}: {error}"
            ) from error
        if not 200 <= reply.code < 300 and not 400 <= reply.code < 600:
            self.drop()
            raise UnknownFateError(
                f"{self._where} answered message {letter.name} with {str(reply)!r}, "
                "which is no SMTP reply"
            )
        self._expect(reply, Stage.CONTENT, letter)
        return reply

    def _expect(self, reply: Reply, stage: Stage, letter: Letter) -> None:
        is_fine = reply.code == GO_AHEAD if stage is Stage.DATA else 200 <= reply.code < 300
        if is_fine:
            return
        self._recover(reply)
        raise self._refusal(reply, stage, letter)

    def _broken(self, error: Exception) -> TemporaryDeliveryError:
        return TemporaryDeliveryError(f"{self._where} broke off: {error}")

    def _recover(self, reply: Reply) -> None:
        """Make the connection ready for the next message, or end it."""
        if reply.code == GOING_AWAY or not 400 <= reply.code < 600:
            self.drop()
            return
        try:
            if self._is_piped:
                self._end_empty()
            self._server.rset()
        except LOST:
            self.drop()

    def _end_empty(self) -> None:
        """Hear the server out; one that waits for a message to nobody gets an empty one.

        RFC 2920 section 3.1 asks for it. The only recipient was refused or never named,
        so there is nobody it could reach.
        """
        for reply in self._replies:
            if reply.code == GO_AHEAD:
                self._asked(b".\r\n")

    def _refusal(self, reply: Reply, stage: Stage, letter: Letter) -> DeliveryError:
        what = (
            f"the sender {letter.sender!r}" if stage is Stage.SENDER else f"message {letter.name}"
        )
        kind = judge_refusal(stage, reply)
        message = f"{self._where} refused {what}: {reply}"
        return kind(message, retry_after=None if kind.permanent else find_wait(reply.text))


def _connected(settings: SmtpSettings, password: str, where: str) -> smtplib.SMTP:
    try:
        return _connect(settings, password)
    except smtplib.SMTPAuthenticationError as error:
        reply = _reply((error.smtp_code, error.smtp_error))
        # 454 is a server that cannot look logins up just now (RFC 4954 section 6).
        kind = TemporaryDeliveryError if reply.code < FIRST_PERMANENT else OutletFaultError
        raise kind(
            f"{where} refused the login of {settings.username!r}: {reply}; "
            "check email.smtp.username and REKINDLE_SMTP_PASSWORD"
        ) from error
    except UnicodeEncodeError:
        # From None: the error holds the password.
        raise OutletFaultError(
            f"the login at {where} has a letter that is not ASCII, which the library cannot send; "
            "set a password and a username without any"
        ) from None
    except LOST as error:
        raise TemporaryDeliveryError(
            f"cannot reach the mail server {where}: {error}; check [email.smtp]"
        ) from error


def _connect(settings: SmtpSettings, password: str) -> smtplib.SMTP:
    context = ssl.create_default_context() if settings.security != "none" else None
    if settings.security == "tls":
        server: smtplib.SMTP = PatientSmtpTls(
            settings.host, settings.port, timeout=settings.timeout_seconds, context=context
        )
    else:
        server = PatientSmtp(settings.host, settings.port, timeout=settings.timeout_seconds)
    try:
        if settings.security == "starttls":
            server.starttls(context=context)
        if settings.username:
            server.login(settings.username, password)
        server.ehlo_or_helo_if_needed()
    except BaseException:
        server.close()
        raise
    return server


def _reply(answer: tuple[int, bytes | str]) -> Reply:
    code, said = answer
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return Reply(code, " ".join(text.split()))
