"""Tries the login at a mail server, up to the first message and no further.

It connects, secures the line, logs in and says goodbye, as the outlet would. What the server
answered is said, for it knows best what is wrong; should it say the password back, that is not.
"""

from __future__ import annotations

import smtplib
import ssl
from base64 import b64encode
from collections.abc import Iterator

from rekindle.channels.email.settings import PASSWORD, THIS_MACHINE, SmtpSettings
from rekindle.channels.email.smtp.connection import Connection
from rekindle.channels.email.smtp.replies import FIRST_PERMANENT
from rekindle.errors import DeliveryError, OutletFaultError
from rekindle.messages import Finding, Severity

SECONDS = 5
"""For each of the server's answers."""

LONGEST_ANSWER = 200
HIDDEN = "…"
SECTION = "see [email.smtp] in rekindle.toml"


def try_login(settings: SmtpSettings, password: str) -> Iterator[Finding]:
    """Yield what a mail server says of our login, or why it could not be tried."""
    if settings.username and not password:
        problem = f"{PASSWORD} is not set, and email.smtp.username is {settings.username!r}"
        yield Finding(
            Severity.REFUSES, problem, "set it, or name its file by " + PASSWORD + "_FILE"
        )
        return
    if settings.username and settings.security == "none" and settings.host not in THIS_MACHINE:
        problem = "email.smtp.security is 'none', so that anybody on the way can read the password"
        yield Finding(Severity.WARNS, problem, "use 'starttls' or 'tls'; the login was not tried")
        return
    where = f"{settings.host}:{settings.port}"
    patience = min(settings.timeout_seconds, SECONDS)
    try:
        connection = Connection(settings.model_copy(update={"timeout_seconds": patience}), password)
    except DeliveryError as error:
        yield _judge(where, settings, error.__cause__ or error, _Hiding(settings, password))
        return
    connection.close()
    took = f"took the login of {settings.username!r}" if settings.username else "can be reached"
    yield Finding(Severity.NOTES, f"{where} {took}", "")


class _Hiding:
    """Takes out of a server's words whatever it may have said back."""

    def __init__(self, settings: SmtpSettings, password: str) -> None:
        user = settings.username or ""
        # As RFC 4616 (PLAIN) and the draft of LOGIN have it on the line.
        sent = (f"\0{user}\0{password}", f"{user}\0{user}\0{password}", password)
        coded = (b64encode(one.encode()).decode() for one in sent)
        self._words = [one for one in (*coded, password) if one]

    def __call__(self, said: object) -> str:
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        for word in self._words:
            text = text.replace(word, HIDDEN)
        text = "".join(one if one.isprintable() else " " for one in text)
        return " ".join(text.split())[:LONGEST_ANSWER]


def _judge(where: str, settings: SmtpSettings, error: BaseException, hide: _Hiding) -> Finding:
    """Return what is wrong: ours to mend, or only to be looked at again."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        said = f"{error.smtp_code} {hide(error.smtp_error)}"
        if error.smtp_code < FIRST_PERMANENT:  # it cannot look logins up just now (RFC 4954)
            problem = f"{where} could not look at the login of {settings.username!r}: {said}"
            return Finding(Severity.WARNS, problem, "look again later")
        problem = f"{where} does not take the login of {settings.username!r}: {said}"
        return Finding(Severity.REFUSES, problem, f"check email.smtp.username and {PASSWORD}")
    if isinstance(error, OutletFaultError):
        return Finding(Severity.REFUSES, hide(error), f"change {PASSWORD} or email.smtp.username")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        problem = f"{where} does not offer what is asked of it: {hide(error)}"
        return Finding(Severity.REFUSES, problem, SECTION)
    if isinstance(error, ssl.SSLError):
        problem = f"{where} cannot be spoken to by TLS: {hide(error)}"
        return Finding(Severity.REFUSES, problem, SECTION)
    problem = f"{where} could not be asked whether it takes the login: {hide(error)}"
    return Finding(Severity.WARNS, problem, "look again once it can be reached, or " + SECTION)
