"""Whether an address is one at all: looked at before anybody is asked about it.

What is no address was never refused by anyone, so it is no bounce: its owner cannot be
reached until the card is corrected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256

from rekindle.messages.model import Address, AddressKind

# No quoted local parts: hardly anyone has one, and many servers take them apart wrongly.
LOCAL = re.compile(r"""[^\s@"(),:;<>\[\]\\\x00-\x1f\x7f\ud800-\udfff]{1,64}""")
DOMAIN = re.compile(r"[A-Za-z0-9.-]{1,253}")
PHONE = re.compile(r"\+?[0-9][0-9 ().-]{2,30}")


def find_problem(address: Address) -> str:
    """Return what is wrong with an address in one clause, "" where nothing is."""
    if not address.value.strip():
        return f"no {_WORDS.get(address.kind, address.kind)} is known"
    check = _CHECKS.get(address.kind)
    if check is None or check(address.value):
        return ""
    return f"what the card holds is no {_WORDS.get(address.kind, address.kind)}"


def name_address(kind: str, value: str) -> str:
    """Return what tells an address from others: all of it, or of a push subscription its URL.

    A browser may change the keys of a subscription and keep its URL.
    """
    if kind != AddressKind.WEB_PUSH:
        return value
    try:
        return str(json.loads(value)["endpoint"])
    except (ValueError, TypeError, KeyError):
        return value


def fingerprint(address: Address) -> str:
    """Return what a provider that spells addresses its own way can say again of one."""
    return sha256(f"{address.kind}|{address.value}".encode("utf-8", "replace")).hexdigest()[:32]


@lru_cache(maxsize=64)  # one message asks about its two addresses a few times
def spoken_mail_address(address: str) -> str | None:
    """Return an e-mail address as servers are told it, its domain in ASCII (RFC 3490).

    None where it is no single address.
    """
    local, _, domain = address.strip().rpartition("@")
    spoken = _spoken(domain)
    if not LOCAL.fullmatch(local) or not DOMAIN.fullmatch(spoken):
        return None
    return f"{local}@{spoken}"


@lru_cache(maxsize=4096)
def _spoken(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _is_mail_address(value: str) -> bool:
    return spoken_mail_address(value) is not None


def _is_phone(value: str) -> bool:
    return PHONE.fullmatch(value.strip()) is not None


_WORDS: Mapping[str, str] = {
    AddressKind.EMAIL: "e-mail address",
    AddressKind.PHONE: "phone number",
    AddressKind.WEB_PUSH: "push subscription",
    AddressKind.DEVICE: "device token",
    AddressKind.POSTAL: "postal address",
}
_CHECKS: Mapping[str, Callable[[str], bool]] = {
    AddressKind.EMAIL: _is_mail_address,
    AddressKind.PHONE: _is_phone,
}
