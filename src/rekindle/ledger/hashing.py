"""Keyed hashes of addresses: what a suppression is remembered by, instead of the address."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rekindle.identity import former_spellings, international, normalise_address
from rekindle.messages import AddressKind

if TYPE_CHECKING:
    from rekindle.ledger.models import Touch

UNDIALLED = re.compile(r"[^0-9+]")


@dataclass(frozen=True, slots=True)
class Hashing:
    """The hashes of one ledger, by its secret."""

    secret: bytes = field(repr=False)

    def of(self, kind: str, address: str | None) -> str:
        """Return the hash of an address of a kind; "" for none."""
        return self.of_phone(address) if kind == AddressKind.PHONE else self.of_address(address)

    def of_address(self, address: str | None) -> str:
        """Return the hash of an e-mail address; "" for none."""
        return hash_address(address, self.secret)

    def of_phone(self, phone: str | None) -> str:
        """Return the hash of a phone number, however it is written; "" for none.

        One that does not say which country it is of is the same as another of its digits.
        """
        dialled = international(phone) or _digits(phone)
        return _hash(dialled, self.secret) if dialled else ""

    def of_text(self, text: str) -> str:
        """Return the hash of any text: another secret gives another."""
        return _hash(text, self.secret)

    def former(self, address: str | None) -> list[str]:
        """Return under which other hashes earlier releases may have kept this address."""
        return sorted(_hash(spelling, self.secret) for spelling in former_spellings(address))

    def former_phone(self, phone: str | None) -> list[str]:
        """Return under which other hash earlier releases may have kept this number."""
        digits = _digits(phone)
        is_other = digits != (international(phone) or digits)
        return [_hash(digits, self.secret)] if is_other else []


def _digits(phone: str | None) -> str:
    return UNDIALLED.sub("", phone or "")


def hash_address(address: str | None, secret: bytes) -> str:
    """Return the keyed hash (HMAC-SHA256, hex) of a normalised address; "" for none."""
    return _hash(normal, secret) if (normal := normalise_address(address)) else ""


def _hash(spelling: str, secret: bytes) -> str:
    return hmac.new(secret, spelling.encode(), hashlib.sha256).hexdigest()


def touch_key(person: str, journey: str, version: int, step: str, rotation: int) -> str:
    """Return the touch's identity as 64 hex digits."""
    identity = "|".join((person, journey, str(version), step, str(rotation)))
    return hashlib.sha256(identity.encode()).hexdigest()


def key_of_touch(touch: Touch) -> str:
    """Return the key that a touch is known by outside: of the id it was written under at first."""
    enrolment = touch.enrolment
    return touch.key or touch_key(
        touch.person_id, enrolment.journey, touch.version, touch.step, enrolment.rotation
    )
