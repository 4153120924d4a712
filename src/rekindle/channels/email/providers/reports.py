"""Reads what mail providers report, as django-anymail normalises it, and only what is signed."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from rekindle.channels.email.providers.composing import KEY_FIELD
from rekindle.channels.email.providers.meaning import (
    is_hard,
    is_machine,
    judge_reply,
    kind_of,
)
from rekindle.channels.email.providers.outlet import require_django
from rekindle.channels.email.providers.signing import require_fresh, require_svix
from rekindle.channels.email.providers.table import BASIC_AUTH, Provider
from rekindle.errors import ConfigError, EventError, ForgedReportError
from rekindle.messages import DeliveryEvent, DeliveryKind, WebhookRequest
from rekindle.vocabulary import Channel

LARGEST = 5 * 1024 * 1024
MOST_EVENTS = 10_000
OLDEST = timedelta(days=30)
LONGEST_REASON = 500
KEY = re.compile(r"[0-9A-Za-z_-][0-9A-Za-z._-]{0,199}")
GARBAGE: tuple[type[Exception], ...] = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    OSError,
    RecursionError,
)
"""What anymail meets in a report that is none; a deep or a huge one is among them."""


class SignedReports:
    """Implements ``rekindle.messages.Webhook`` for one provider.

    Raises:
        ConfigError: its secret cannot be used.
    """

    def __init__(self, provider: Provider, secret: str) -> None:
        require_django()
        self._provider, self._secret = provider, secret
        module = import_module(f"anymail.webhooks.{provider.name}")
        self._view = getattr(module, provider.reports)
        self._built("https://example.com/")  # a key that is none is found at start

    def read(self, request: WebhookRequest) -> Sequence[DeliveryEvent]:
        """Return what a report says of messages; nothing of what else it may be about."""
        if len(request.body) > LARGEST:
            raise EventError("too_large", f"a body of {len(request.body)} bytes is no report")
        view, asked = self._built(request.url), _django_request(request)
        view.setup(asked)
        self._require_signed(view, asked, request)
        try:
            told = view.parse_events(asked)
            found = [event for one in told for event in self._events(one, request.received_at)]
        except _garbage() as error:
            said = f"{self._provider.called}'s report cannot be read: {type(error).__name__}"
            raise EventError("unreadable", said) from error
        if len(found) > MOST_EVENTS:
            raise EventError("too_large", f"a report of {len(found)} events")
        return found

    def _require_signed(self, view: Any, asked: Any, request: WebhookRequest) -> None:
        provider = self._provider
        try:
            if provider.name == "resend":
                require_svix(self._secret, request)
            else:
                view.run_validators(asked)
            if provider.name == "mailgun":
                require_fresh(asked, request)
        except _garbage() as error:
            raise ForgedReportError(
                f"the report is not signed with {provider.signing_secret}"
            ) from error

    def _built(self, url: str) -> Any:
        """Return the view; Mandrill signs the address it reports to."""
        options = {self._provider.signing: self._secret}
        if self._provider.name == "mandrill":
            options["webhook_url"] = url
        if self._provider.name == "resend":
            options = {BASIC_AUTH: self._secret}  # its signature is checked here
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return self._view(**options)
            except _garbage() as error:
                raise ConfigError(
                    f"{self._provider.signing_secret} is no key of {self._provider.called}'s: "
                    f"{type(error).__name__}"
                ) from error

    def _events(self, told: Any, received_at: datetime) -> Iterator[DeliveryEvent]:
        raw = _as_mapping(told.esp_event)
        kind = kind_of(self._provider.name, told, raw)
        if kind is None:
            return
        reply = " ".join(f"{told.mta_response or ''} {told.description or ''}".split())
        is_permanent = True
        if kind is DeliveryKind.BOUNCED:
            kind, is_permanent = judge_reply(reply, is_hard=is_hard(self._provider.name, told, raw))
        is_by_machine = is_machine(self._provider.name, told, raw)
        at = _instant(told.timestamp, received_at)
        yield DeliveryEvent(
            id=_name(told, kind, is_permanent=is_permanent, is_by_machine=is_by_machine),
            kind=kind,
            channel=Channel("email"),
            outlet=self._provider.outlet,
            at=at,
            provider_id=_text(told.message_id)[:200],
            message=_key(told.metadata),
            address=_text(told.recipient)[:320],
            is_machine=is_by_machine,
            is_permanent=is_permanent,
            reason=reply[:LONGEST_REASON],
        )


def _garbage() -> tuple[type[Exception], ...]:
    from anymail.exceptions import AnymailError
    from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation

    return (*GARBAGE, AnymailError, SuspiciousOperation, ImproperlyConfigured)


def _django_request(request: WebhookRequest) -> Any:
    """Return a report as Django would hand it to a view."""
    from django.core.handlers.wsgi import WSGIRequest

    url = urlsplit(request.url)
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": url.path or "/",
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname or "localhost",
        "SERVER_PORT": str(url.port or (443 if url.scheme == "https" else 80)),
        "wsgi.url_scheme": url.scheme or "https",
        "wsgi.input": BytesIO(request.body),
        "CONTENT_LENGTH": str(len(request.body)),
        "CONTENT_TYPE": request.headers.get("content-type", ""),
    }
    for name, value in request.headers.items():
        environ.setdefault("HTTP_" + name.upper().replace("-", "_"), value)
    return WSGIRequest(environ)


def _as_mapping(raw: Any) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {}


def _instant(told: Any, received_at: datetime) -> datetime:
    """Return when it happened; when it was told, where that is not said or cannot be."""
    if not isinstance(told, datetime):
        return received_at
    at = told if told.tzinfo else told.replace(tzinfo=UTC)
    return at.astimezone(UTC) if received_at - OLDEST <= at <= received_at else received_at


def _name(told: Any, kind: DeliveryKind, *, is_permanent: bool, is_by_machine: bool) -> str:
    """Return by what an event is known: the provider's id, or what it is about and when.

    What became of a message may come twice in a second: a soft bounce and then a hard one.
    """
    words = [kind.value, f"{is_permanent:d}{is_by_machine:d}"]
    if told.event_id:
        words.append(_text(told.event_id))
    else:
        stated = told.timestamp.isoformat() if isinstance(told.timestamp, datetime) else ""
        words += map(_text, (told.message_id, told.recipient, stated, told.click_url))
    text = "\x1f".join(words)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _key(metadata: Any) -> str:
    key = metadata.get(KEY_FIELD) if isinstance(metadata, Mapping) else None
    return key if isinstance(key, str) and KEY.fullmatch(key) else ""


def _text(value: Any) -> str:
    """Return a word that a report holds; nothing of what is no word."""
    text = value if isinstance(value, str) else str(value) if isinstance(value, int) else ""
    return text.replace("\x00", "")
