"""Links of a message that lead through the portal, so that a click is known.

The token names the message, the person and the address, and is signed: nobody can make
one that leads elsewhere. It stands in the path, for mail programs take what they know for
a tracker out of a query. It leads to the business's own hosts and nowhere else, which is
looked at when it is written and again when it is followed.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import unescape
from urllib.parse import urlsplit

from rekindle.vocabulary import replace_spans

PURPOSE = b"rekindle.content.clicks"
# 96 bits; RFC 2104 section 5 asks for 80 at the least, and an SMS pays for each letter.
SIGNATURE_BYTES = 12
KEY_BYTES = 12
"""So much of a message's key names it among those of one person."""

OWN_PAGES = "card|confirm|erase|export|leave|return"
"""The portal's pages that have longer names than a letter, and a token."""

_HREF = re.compile(r'(<a\b[^>]*?\shref=")(https?://[^"<>]+)(")', re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]", re.IGNORECASE)
# No backslash, "@" or control character: browsers and libraries read them differently.
_REST = r"(?::[0-9]{1,5})?(?:[/?#][^\\\s@\x00-\x1f\x7f]*)?"
_HEX = re.compile(r"[0-9a-f]{24,}")


@dataclass(frozen=True, slots=True)
class Click:
    """What a token says: which message to whom, by which channel, and where it leads.

    ``message`` is how the message's key begins, ``url`` empty where it leads nowhere any more.
    """

    message: str
    person: str
    channel: str
    url: str


@dataclass(frozen=True)
class ClickLinks:
    """Writes and reads the links of one business. ``hosts`` are its own, beside its shop's."""

    secret: bytes = field(repr=False)
    portal_url: str
    shop_url: str = ""
    hosts: Collection[str] = ()

    @cached_property
    def own_hosts(self) -> frozenset[str]:
        """Return the hosts that links may lead to."""
        shop = urlsplit(self.shop_url).hostname if self.shop_url else None
        return frozenset({*self.hosts, *([shop] if shop else [])})

    def wrap(
        self, parts: Mapping[str, str], *, message: str, person: str, channel: str
    ) -> Mapping[str, str]:
        """Return a message's parts with the links to the business leading through the portal."""
        if not self.own_hosts or not _HEX.fullmatch(message):
            return parts

        def through(url: str) -> str:
            return self._through(url, message=message, person=person, channel=channel)

        wrapped: dict[str, str] = {}
        for name, part in parts.items():
            if name == "html":
                wrapped[name] = replace_spans(part, _led(_HREF.finditer(part), 2, through))
            elif name in ("text", "body", "url"):
                wrapped[name] = replace_spans(part, _led(_ADDRESS.finditer(part), 0, through))
            else:
                wrapped[name] = part
        return wrapped

    def may_lead_to(self, url: str) -> bool:
        """Return whether an address is one of the business's own."""
        return bool(self.own_hosts) and self._own.fullmatch(url) is not None

    def read(self, token: str) -> Click | None:
        """Return what a token says, or None where it was not written here."""
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (ValueError, NotBase64Error):
            return None
        signature, body = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
        if _encode(raw) != token or not hmac.compare_digest(signature, self._sign(body)):
            return None
        key, named = body[:KEY_BYTES], body[KEY_BYTES:].decode()
        channel, person, target = named.split("\0", 2)
        url = f"{self._base}{target}" if target.startswith("/") else target
        return Click(key.hex(), person, channel, url if self.may_lead_to(url) else "")

    def _through(self, url: str, *, message: str, person: str, channel: str) -> str:
        if not self.may_lead_to(url) or self._own_pages.match(url):
            return url
        begins = bool(self._base) and url.startswith(f"{self._base}/")
        target = url[len(self._base) :] if begins else url
        body = bytes.fromhex(message[: 2 * KEY_BYTES])
        body += "\0".join((channel, person, target)).encode()
        return f"{self.portal_url.rstrip('/')}/c/{_encode(self._sign(body) + body)}"

    @cached_property
    def _own(self) -> re.Pattern[str]:
        # One look instead of taking the address apart: every link of every message comes here.
        hosts = "|".join(map(re.escape, sorted(self.own_hosts)))
        return re.compile(rf"https?://(?:{hosts}){_REST}", re.IGNORECASE)

    @cached_property
    def _own_pages(self) -> re.Pattern[str]:
        # The portal may stand on a host of the shop; who leaves by its pages clicks on no offer.
        return re.compile(rf"{re.escape(self.portal_url.rstrip('/'))}/(?:[a-z]|{OWN_PAGES})/")

    @property
    def _base(self) -> str:
        return self.shop_url.rstrip("/")

    @cached_property
    def _key(self) -> bytes:
        # A key of its own: a signature made for another purpose is worth nothing here.
        return hmac.digest(self.secret, PURPOSE, "sha256")

    def _sign(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")[:SIGNATURE_BYTES]


def _led(
    links: Iterable[re.Match[str]], group: int, through: Callable[[str], str]
) -> Iterator[tuple[int, int, str]]:
    """Yield where the addresses stand that change, each with what it becomes."""
    for link in links:
        url = unescape(link[group]) if group else link[group]
        led = through(url)
        if led != url:
            yield (*link.span(group), led)


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
