"""Sends through one provider's HTTP interface over a few connections that are kept.

One mail a request: one answer is about one person, and so is one that was lost. Several
threads may send at once; each message has a connection to itself.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from threading import BoundedSemaphore
from typing import Any, NamedTuple

from rekindle.channels.email.providers.answers import (
    STATUSES,
    AlreadyTakenError,
    find_rule,
    judge_answer,
    judge_failure,
    one_line,
    wait_of,
)
from rekindle.channels.email.providers.composing import add_key, build_mail
from rekindle.channels.email.providers.table import Provider
from rekindle.channels.email.providers.wire import CONNECT_SECONDS, PatientSession
from rekindle.channels.email.settings import EmailSettings
from rekindle.channels.email.writing import OutgoingMail, checked_mail, write_mail
from rekindle.channels.watching import is_unsent
from rekindle.errors import (
    ConfigError,
    DeliveryError,
    MalformedAddressError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.messages import Message, Receipt

ACCEPTED = frozenset({"sent", "queued"})
SAID = 300
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What anymail meets in an answer that is none."""


class _Answer(NamedTuple):
    """What a provider said: its status, its body in one line, and how long to wait."""

    status: int
    text: str
    wait: timedelta | None


class ProviderOutlet:
    """Implements ``rekindle.messages.Outlet`` with one provider's backend of anymail."""

    def __init__(
        self, provider: Provider, settings: EmailSettings, secrets: Mapping[str, str]
    ) -> None:
        self._provider, self._settings = provider, settings
        self._secrets = {one: secrets.get(provider.secret(one), "") for one in provider.credentials}
        missing = [provider.secret(one) for one, value in self._secrets.items() if not value]
        if missing:
            raise ConfigError(f"{provider.outlet} needs {' and '.join(missing)} in the environment")
        self._seats = BoundedSemaphore(settings.http.connections)
        self._idle: deque[Any] = deque()  # append and pop are atomic
        self._idle.append(self._connected())  # what it is told is looked at here, once

    def send(self, message: Message) -> Receipt:
        """Hand the message to the provider."""
        mail = checked_mail(write_mail(message, self._settings))
        with self._seats, self._lent() as backend:
            return Receipt(self._handed(backend, mail))

    def close(self) -> None:
        """Let go of every connection."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _lent(self) -> Iterator[Any]:
        """Lend a kept connection or a new one, and keep it."""
        try:
            backend = self._idle.pop()
        except IndexError:
            backend = self._connected()
        try:
            yield backend
        finally:
            self._idle.append(backend)

    def _connected(self) -> Any:
        options = self._settings.options_of(self._provider.name)
        return connect_backend(
            self._provider,
            {key: options[key] for key in self._provider.options if options.get(key)},
            self._secrets,
            seconds=self._settings.http.timeout_seconds,
        )

    def _handed(self, backend: Any, mail: OutgoingMail) -> str:
        """Return the provider's name of a message that it took."""
        from anymail.exceptions import AnymailError, AnymailInvalidAddress

        try:
            message = build_mail(mail, self._provider)
            payload = backend.build_message_payload(message, backend.send_defaults)
            add_key(payload, self._provider, mail.key)
        except AnymailInvalidAddress as error:
            raise MalformedAddressError(one_line(str(error))) from error
        except AnymailError as error:
            raise RefusedContentError(f"{self._provider.called}: {one_line(str(error))}") from error
        try:
            response = self._posted(backend, payload, message)
            return self._taken(backend, response, payload, message)
        except AlreadyTakenError:
            return ""

    def _posted(self, backend: Any, payload: Any, message: Any) -> Any:
        from anymail.exceptions import AnymailAPIError, AnymailError

        called = self._provider.called
        try:
            if backend.session is None:
                open_session(backend)
            return backend.post_to_esp(payload, message)
        except AnymailAPIError as error:
            if error.response is not None:
                raise self._refusal(self._answer(error.response)) from error
            cause = error.__cause__
            said = self._without_secrets(one_line(str(cause)))
            if is_unsent(cause):
                raise TemporaryDeliveryError(f"{called} is out of reach: {said}") from error
            raise UnknownFateError(f"{called} gave no answer: {said}") from error
        except AnymailError as error:  # it cannot be written down, and was not sent
            raise RefusedContentError(f"{called}: {one_line(str(error))}") from error

    def _taken(self, backend: Any, response: Any, payload: Any, message: Any) -> str:
        from anymail.exceptions import AnymailError

        answer = self._answer(response)
        try:
            found = backend.parse_recipient_status(response, payload, message)
            # It went to one address, however the provider spells that in its answer.
            status = min(found.values(), key=lambda one: one.status not in ACCEPTED)
        except (AnymailError, *UNREADABLE) as error:
            raise self._refusal(answer) from error
        # SendGrid says nothing of what it took, and anymail reads no answer of it.
        is_odd = self._provider.name == "sendgrid" and answer.text not in {"", "{}"}
        if status.status in ACCEPTED and (is_odd or not status.message_id):
            raise UnknownFateError(self._said(answer))
        if status.status in ACCEPTED:
            return str(status.message_id)
        kind = find_rule(self._provider.name, answer.status, answer.text)
        kind = kind or STATUSES.get(status.status or "unknown")
        kind = kind or judge_failure(self._provider.name, answer.status, answer.text)
        raise kind(self._said(answer))

    def _refusal(self, answer: _Answer) -> DeliveryError:
        kind = judge_answer(self._provider.name, answer.status, answer.text)
        return kind(self._said(answer), retry_after=None if kind.permanent else answer.wait)

    def _said(self, answer: _Answer) -> str:
        said = answer.text[:SAID] or "nothing"
        return f"{self._provider.called} answered {answer.status}: {said}"

    def _answer(self, response: Any) -> _Answer:
        response.encoding = response.encoding or "utf-8"  # or it would be guessed, at length
        text = self._without_secrets(one_line(response.text))
        return _Answer(response.status_code, text, wait_of(response.headers))

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets.values():
            text = text.replace(secret, "…")
        return text


def connect_backend(
    provider: Provider, options: Mapping[str, Any], secrets: Mapping[str, str], *, seconds: int
) -> Any:
    """Return a provider's backend, with a connection that is kept.

    Raises:
        ConfigError: its settings or secrets cannot be used.
    """
    require_django()
    from anymail.exceptions import AnymailConfigurationError, AnymailNotSupportedWarning

    module = import_module(provider.backend or f"anymail.backends.{provider.name}")
    try:
        with warnings.catch_warnings():
            # That nobody tests SendGrid with real accounts any more is in the manual.
            warnings.simplefilter("ignore", AnymailNotSupportedWarning)
            backend = module.EmailBackend(
                **options, **secrets, timeout=(min(CONNECT_SECONDS, seconds), seconds)
            )
    except (AnymailConfigurationError, ValueError) as error:
        raise ConfigError(f"{provider.outlet}: {error}") from error
    open_session(backend)
    return backend


def open_session(backend: Any) -> None:
    """Give a backend a session that is bounded in what it hears."""
    backend.open()
    given, session = backend.session, PatientSession(getattr(backend, "api_url", ""))
    session.headers.update(given.headers)
    session.auth = given.auth
    given.close()
    backend.session = session


def require_django() -> None:
    """See that Django is configured: once in a process, by the room of the ledger.

    Anymail reads Django's settings. The ledger stands beside this room, so it is asked by
    its name, as the configuration asks for the channels.
    """
    from django.conf import settings

    if not settings.configured:
        import_module("rekindle.ledger")
