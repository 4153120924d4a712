"""Asks Chargebee by its official library, and says in our words what came of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from chargebee import APIError, Chargebee, PaymentError

from rekindle.config import BillingSettings
from rekindle.errors import BillerError, BillerRefusedError, ConfigError

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
LONGEST_KEY = 100
IDEMPOTENCY = "chargebee-idempotency-key"
Thing = Mapping[str, Any]


class DeclinedError(BillerRefusedError):
    """The payment that was asked for did not go through."""


def build_client(settings: BillingSettings, key: str) -> Any:
    """Return the library's client of the site that the settings name.

    Raises:
        ConfigError: no site is named, or keys would go over the network in the clear.
    """
    url = urlsplit(settings.url)
    if not (settings.account or settings.url):
        raise ConfigError("billing.account is empty; name your Chargebee site, as acme-test")
    if url.scheme == "http" and url.hostname not in LOOPBACK:
        raise ConfigError(f"billing.url is {settings.url}; the key may only go over https")
    client = Chargebee(
        api_key=key,
        site=settings.account or "site",
        connection_time_out=settings.timeout_seconds,
        read_time_out=settings.timeout_seconds,
    )
    if settings.url:
        client.update_protocol(url.scheme)
        client.env.api_endpoint = f"{settings.url.rstrip('/')}/api/{client.env.API_VERSION}"
    # The library asks by https whatever the address, unless this is off, and it reads it from
    # the class alone (3.29: `update_protocol` sets it on the instance).
    Chargebee.verify_ca_certs = url.scheme != "http"
    return client


def under(key: str) -> dict[str, str]:
    """Return the headers of a request that is done once; a long key goes by its digest."""
    if len(key) > LONGEST_KEY:
        key = hashlib.sha256(key.encode()).hexdigest()
    return {IDEMPOTENCY: key}


def ask(request: Callable[[], Any]) -> Any:
    """Return an answer of the library.

    Raises:
        DeclinedError: a payment was not made.
        BillerRefusedError, BillerError: Chargebee refused, or did not answer.
    """
    try:
        return request()
    except PaymentError as error:
        raise DeclinedError(_told(error)) from error
    except APIError as error:
        status = int(error.http_status_code or 0)
        is_refusal = 400 <= status < 500 and status != 429
        raise (BillerRefusedError if is_refusal else BillerError)(_told(error)) from error
    except Exception as error:
        # What is no JSON of Chargebee's the library raises as a bare Exception, and what
        # does not answer as whatever its HTTP client does.
        raise BillerError(f"Chargebee: {type(error).__name__} (no answer)") from error


def raw(model: Any) -> dict[str, Any]:
    """Return an object as the API gave it, an empty one for none."""
    found: dict[str, Any] = model.raw_data if model is not None else {}
    return found


def _told(error: APIError) -> str:
    return f"Chargebee: {error.api_error_code} ({error.http_status_code})"
