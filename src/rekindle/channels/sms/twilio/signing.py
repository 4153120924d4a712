"""Whether a report is Twilio's: https://www.twilio.com/docs/usage/webhooks/webhooks-security."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qs, urlsplit, urlunsplit

PORTS = {"https": 443, "http": 80}


def sign(token: str, url: str, form: Mapping[str, Sequence[str]]) -> str:
    """Return the signature of a form that is posted to a URL; of no form, of the URL alone."""
    text = url + "".join(name + value for name in sorted(form) for value in sorted(set(form[name])))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), hashlib.sha1)).decode()


def is_signed(
    token: str, signature: str, url: str, body: bytes, form: Mapping[str, Sequence[str]]
) -> bool:
    """Return whether a report to this public URL carries Twilio's signature.

    What is no form is signed by its digest, which then stands in the URL. Twilio leaves the
    port out of what it signs, or not.
    """
    if not token or not signature:
        return False
    digest = parse_qs(urlsplit(url).query).get("bodySHA256")
    if digest is not None:
        if not _same(hashlib.sha256(body).hexdigest(), digest[0].casefold()):
            return False
        form = {}
    return any(_same(sign(token, one, form), signature) for one in _spellings(url))


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "replace"))


def _spellings(url: str) -> Iterator[str]:
    """Yield a URL with its port and without."""
    parts = urlsplit(url)
    host = parts.netloc
    name, colon, port = host.rpartition(":")
    if colon and port.isdecimal():
        yield urlunsplit(parts._replace(netloc=name))
        yield url
    else:
        yield url
        yield urlunsplit(parts._replace(netloc=f"{host}:{PORTS.get(parts.scheme, 443)}"))
