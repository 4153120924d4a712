"""The ledger knows the secret its hashes were made with, and refuses another one.

Suppressed addresses are kept as hashes keyed with the secret, and links are signed with
it. With another secret nobody is suppressed by address and no link of a message that left
works, and nothing else would say so.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.db.models import QuerySet

from rekindle.errors import ConfigError
from rekindle.ledger import intake_models, models
from rekindle.ledger.book.addresses import rehash_addresses
from rekindle.ledger.guards.models import Seal
from rekindle.ledger.guards.secret import require_secret
from rekindle.ledger.hashing import Hashing
from rekindle.ledger.queries import execute, ledger_errors, ledger_transaction, rows_of

ONLY = 1
PURPOSE = b"rekindle.ledger.seal"
SAMPLE = 20
CHUNK = 5000
REMEDY = (
    "Nothing is sent, signed or hashed. Put the secret back (state/secret of the backup, or "
    "REKINDLE_SECRET); if it is lost for good, `rekindle accept-secret` goes on with another "
    "one, and says what that costs"
)


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """What another secret cost: cards hashed anew, suppressed addresses carried over, and lost.

    A lost one is not recognised any more; the person it was of stays suppressed.
    """

    cards: int
    carried: int
    lost: int


class _Card(NamedTuple):
    person: str
    address: str | None
    address_hash: str
    phone: str | None
    phone_hash: str


_CARD = ("pk", "address", "address_hash", "phone", "phone_hash")


def fingerprint_of(secret: bytes) -> str:
    """Return the keyed hash (HMAC-SHA256, hex) that tells this secret from others."""
    return hmac.digest(secret, PURPOSE, "sha256").hex()


@ledger_errors()
def is_keyed(alias: str) -> bool:
    """Return whether anything here was hashed with a secret, or a secret is known."""
    cards = models.Person.objects.using(alias).exclude(address_hash="", phone_hash="")
    suppressions = models.Suppression.objects.using(alias).exclude(address_hash="")
    addresses = models.Address.objects.using(alias)
    return any(rows.exists() for rows in (_seals(alias), suppressions, cards, addresses))


def open_seal(alias: str, directory: Path, at: datetime) -> bytes:
    """Return the secret of a workspace, which its ledger knows from now on.

    Raises:
        ConfigError: it is lost, empty, or not the one the ledger was written with.
    """
    secret = require_secret(directory, may_make=lambda: not is_keyed(alias))
    require_seal(alias, secret, at)
    return secret


def require_seal(alias: str, secret: bytes, at: datetime) -> None:
    """See that this is the secret of the ledger; one that knows none yet takes it.

    A ledger that holds hashes takes only the secret they were made with, as the cards show.

    Raises:
        ConfigError: it is another secret, or nobody can say.
    """
    known = _fingerprint(alias)
    if known is None and (not is_keyed(alias) or _fits_cards(alias, secret)):
        known = _seal(alias, secret, at)
    # Another process may have sealed it since the first look, which is_keyed counts as well.
    known = known or _fingerprint(alias)
    if known is None:
        raise ConfigError(
            "the hashes in this ledger were not made with the present secret, or nobody "
            f"can say. {REMEDY}"
        )
    if not hmac.compare_digest(known, fingerprint_of(secret)):
        raise ConfigError(f"this ledger was written with another secret than the present. {REMEDY}")


def fits(alias: str, secret: bytes) -> bool:
    """Return whether ``require_seal`` would take this secret; nothing is changed."""
    known = _fingerprint(alias)
    if known is None:
        return not is_keyed(alias) or _fits_cards(alias, secret)
    return hmac.compare_digest(known, fingerprint_of(secret))


def fits_seal(alias: str, secret: bytes) -> bool:
    """Return whether this is the secret that the ledger knows."""
    known = _fingerprint(alias)
    return known is not None and hmac.compare_digest(known, fingerprint_of(secret))


def rekey(alias: str, secret: bytes, at: datetime) -> Rekeyed:
    """Make another secret the one of this ledger; return what that cost.

    Every card is hashed anew. A suppression is carried over where a card still has its
    address; the others stay with the person they are of.
    """
    with ledger_transaction(alias):
        hashes = models.Suppression.objects.using(alias).exclude(address_hash="")
        left = set(hashes.values_list("address_hash", flat=True))
        cards = carried = 0
        hashing = Hashing(secret)
        for chunk in _cards(alias):
            fresh = [
                (card, hashing.of_address(card.address), hashing.of_phone(card.phone))
                for card in chunk
            ]
            execute(
                alias, "rehash_people", rows_of((c.person, mail, phone) for c, mail, phone in fresh)
            )
            pairs = [(c.address_hash, mail) for c, mail, _ in fresh]
            pairs += [(c.phone_hash, phone) for c, _, phone in fresh]
            moved = {old: new for old, new in pairs if old in left and new}
            if moved:
                execute(alias, "rehash_suppressions", rows_of(sorted(moved.items())))
                carried += len(moved)
                left -= moved.keys()
            cards += len(chunk)
        rehash_addresses(alias, hashing)
        # Only their hashes are kept: every file tells of them again, as of all cards.
        intake_models.SecondaryAddress.objects.using(alias).delete()
        _seals(alias).delete()
        _seal(alias, secret, at)
    return Rekeyed(cards, carried, len(left))


def _seals(alias: str) -> QuerySet[Seal]:
    return Seal.objects.using(alias)


@ledger_errors()
def _fingerprint(alias: str) -> str | None:
    return _seals(alias).values_list("fingerprint", flat=True).first()


def _seal(alias: str, secret: bytes, at: datetime) -> str:
    """Let the ledger know this secret; return the one it knows, should another be first."""
    with ledger_transaction(alias):
        row, _ = _seals(alias).get_or_create(
            id=ONLY, defaults={"fingerprint": fingerprint_of(secret), "at": at}
        )
    return str(row.fingerprint)


def _fits_cards(alias: str, secret: bytes) -> bool:
    """Return whether cards were hashed with this secret; False where none can show it."""
    with ledger_errors():
        rows = models.Person.objects.using(alias).exclude(address_hash="").exclude(address=None)
        found = list(rows.values_list("address", "address_hash")[:SAMPLE])
    hashing = Hashing(secret)
    return any(
        kept in {hashing.of_address(address), *hashing.former(address)} for address, kept in found
    )


def _cards(alias: str) -> Iterator[list[_Card]]:
    """Yield every card by which somebody is reached, in chunks."""
    rows = models.Person.objects.using(alias).exclude(address_hash="", phone_hash="")
    last = ""
    while True:
        page = rows.filter(pk__gt=last).order_by("pk").values_list(*_CARD)
        chunk = [_Card(*row) for row in page[:CHUNK]]
        if not chunk:
            return
        yield chunk
        last = chunk[-1].person
