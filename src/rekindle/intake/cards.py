"""What an identify call says about a person: a contact card, and statements of will.

Only what is given changes anything. A trait that cannot be read is left out with a note
and the rest is taken: a mistyped zone must not lose a withdrawn consent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rekindle.countries import country_code
from rekindle.intake.addresses import read_addresses
from rekindle.intake.instants import read_instant
from rekindle.intake.model import Card, Statement
from rekindle.vocabulary import Channel, is_channel

EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f<>,;]{1,64}@[^\s@\x00-\x1f\x7f<>,;]{1,253}")
WORDS = ("wording", "source")
# A yes that says of itself whether it was confirmed.
CONFIRMED: Mapping[str, bool] = {"pending": False, "confirmed": True}
MOST_CHANNELS = 20
PHONE = re.compile(r"\+?[0-9][0-9 ().-]{4,24}")
LONGEST_NAME = 200


def read_card(traits: Mapping[str, Any], context: Mapping[str, Any] | None = None) -> Card:
    """Return what traits, and the context they came in, say.

    ``notes`` tells what could not be read, and why.
    """
    notes: list[str] = []
    address = traits.get("address")
    place = address if isinstance(address, dict) else {}

    def read(name: str, given: Any, understand: Callable[[str], Any]) -> Any:
        if given is None or given == "":
            return None
        try:
            if not isinstance(given, str):
                raise ValueError("no text")
            return understand(given.strip())
        except ValueError as error:
            notes.append(f"{name} was left out: {given!r:.60} is {error}")
            return None

    return Card(
        email=read("email", traits.get("email"), _email),
        email_verified=_verified(_either(traits, "emailVerified", "email_verified"), notes),
        phone=read("phone", traits.get("phone"), _phone),
        first_name=read("firstName", _either(traits, "firstName", "first_name"), _person_name),
        last_name=read("lastName", _either(traits, "lastName", "last_name"), _person_name),
        country=read("country", place.get("country") or traits.get("country"), _country),
        region=read("region", place.get("state") or place.get("region"), _region),
        timezone=read("timezone", traits.get("timezone"), _zone),
        created_at=read("createdAt", _either(traits, "createdAt", "created_at"), _instant),
        statements=_statements(traits.get("consent"), notes),
        addresses=tuple(read_addresses(traits, context or {}, notes)),
        notes=tuple(notes),
    )


def _either(traits: Mapping[str, Any], *names: str) -> Any:
    return next((traits[name] for name in names if traits.get(name) is not None), None)


def _verified(given: Any, notes: list[str]) -> bool | None:
    """Return whether the address is theirs; what cannot be read is perhaps a no, and is one."""
    if given is None or isinstance(given, bool):
        return given
    notes.append(f"emailVerified {given!r:.60} is neither true nor false: taken for false")
    return False


def _email(text: str) -> str:
    if not EMAIL.fullmatch(text):
        raise ValueError("no e-mail address")
    return text


def _phone(text: str) -> str:
    if not PHONE.fullmatch(text):
        raise ValueError("no telephone number")
    return text


def _person_name(text: str) -> str:
    if len(text) > LONGEST_NAME or any(ord(letter) < 32 for letter in text):
        raise ValueError("no name")
    return text


def _country(text: str) -> str:
    if (code := country_code(text)) is None:
        raise ValueError("no country of ISO 3166, by code or name")
    return code


def _region(text: str) -> str:
    if len(text) > LONGEST_NAME:
        raise ValueError("no state")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("no IANA time zone") from error
    return text


def _instant(text: str) -> datetime:
    try:
        return read_instant(text)
    except ValueError as error:
        raise ValueError("no ISO 8601 instant") from error


def _statements(given: Any, notes: list[str]) -> tuple[Statement, ...]:
    if given is None:
        return ()
    if not isinstance(given, dict):
        notes.append("consent was left out: write {channel: true or false, wording, source}")
        return ()
    words = {key: given[key] for key in WORDS if isinstance(given.get(key), str)}
    found: list[Statement] = []
    # Of channels nobody writes through yet as well: a no is a no when one is added.
    for name, said in given.items():
        if name in WORDS or said is None:
            continue
        if not is_channel(name) or not (
            isinstance(said, bool) or (isinstance(said, str) and said in CONFIRMED)
        ):
            notes.append(
                f"consent.{name} was left out: it is no channel with true, false, "
                '"pending" or "confirmed"'
            )
        elif len(found) < MOST_CHANNELS:
            is_confirmed = CONFIRMED[said] if isinstance(said, str) else None
            found.append(Statement(Channel(name), bool(said), **words, is_confirmed=is_confirmed))
    return tuple(found)
