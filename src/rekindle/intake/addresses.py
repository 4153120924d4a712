"""Where somebody can be reached beside e-mail and phone: a browser, an app, a letter box.

A device's token is where Segment's libraries put it, ``context.device.token``
(https://segment.com/docs/connections/spec/common/#context). A browser's subscription is the
trait ``pushSubscription``, as ``PushSubscription.toJSON()`` writes it
(https://www.w3.org/TR/push-api/#dom-pushsubscription-tojson). A postal address is Segment's
reserved trait ``address``, where it names a street and a city.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from rekindle.countries import country_code
from rekindle.intake.model import GivenAddress

DEVICE, WEB_PUSH, POSTAL = "device", "web_push", "postal"
TOKEN = re.compile(r"[!-~]{8,4096}")
LONGEST_URL = 2048
LONGEST_LINE = 200
# An uncompressed point of P-256, and 16 bytes (RFC 8291, section 3.1 and 3.2).
POINT = re.compile(r"[A-Za-z0-9_-]{87}=?")
SECRET = re.compile(r"[A-Za-z0-9_-]{22}(==)?")
# By these events an app says that it was opened, and by which token it is reached now.
# https://segment.com/docs/connections/spec/mobile/#lifecycle-events
DEVICE_EVENTS = frozenset({"application_installed", "application_opened", "application_updated"})
LINES = (
    ("street", "street"),
    ("city", "city"),
    ("postal_code", "postalCode"),
    ("state", "state"),
)


def read_addresses(
    traits: Mapping[str, Any], context: Mapping[str, Any], notes: list[str]
) -> Iterator[GivenAddress]:
    """Yield the addresses an identify call gives; note what cannot be read."""
    if (token := find_token(context)) is not None:
        yield GivenAddress(DEVICE, token)
    if (given := traits.get("pushSubscription")) is not None:
        try:
            yield GivenAddress(WEB_PUSH, _subscription(given))
        except ValueError as error:
            notes.append(f"pushSubscription was left out: {error}")
    place = traits.get("address")
    if isinstance(place, dict) and (lines := _place(place, traits.get("country"))):
        yield GivenAddress(POSTAL, lines)


def find_token(context: Mapping[str, Any]) -> str | None:
    """Return the token of the device a call came from, if it names one."""
    device = context.get("device")
    token = device.get("token") if isinstance(device, dict) else None
    return token if isinstance(token, str) and TOKEN.fullmatch(token) else None


def _subscription(given: Any) -> str:
    """Return a subscription as it is kept.

    Raises:
        ValueError: it is none, in one clause.
    """
    if not isinstance(given, dict):
        raise ValueError("write it as PushSubscription.toJSON() does")
    keys = given.get("keys")
    keys = keys if isinstance(keys, dict) else {}
    endpoint, point, secret = given.get("endpoint"), keys.get("p256dh"), keys.get("auth")
    if not (isinstance(endpoint, str) and len(endpoint) <= LONGEST_URL and _is_https(endpoint)):
        raise ValueError("its endpoint is no https address")
    if not (isinstance(point, str) and POINT.fullmatch(point)):
        raise ValueError("keys.p256dh is no point of P-256 in base64url")
    if not (isinstance(secret, str) and SECRET.fullmatch(secret)):
        raise ValueError("keys.auth is no 16 bytes in base64url")
    kept = {"endpoint": endpoint, "p256dh": point.rstrip("="), "auth": secret.rstrip("=")}
    return json.dumps(kept, sort_keys=True)


def _is_https(text: str) -> bool:
    try:
        url = urlsplit(text)
    except ValueError:
        return False
    return url.scheme == "https" and bool(url.hostname) and text.isascii() and text.isprintable()


def _place(place: Mapping[str, Any], country: Any) -> str:
    """Return a postal address as it is kept, "" where it names no street or no city."""
    found = {name: _line(place.get(trait)) for name, trait in LINES}
    found["country"] = country_code(_line(place.get("country") or country)) or ""
    return json.dumps(found, sort_keys=True) if found["street"] and found["city"] else ""


def _line(given: Any) -> str:
    text = " ".join(str(given).split()) if isinstance(given, (str, int)) else ""
    return text[:LONGEST_LINE] if text.isprintable() else ""
