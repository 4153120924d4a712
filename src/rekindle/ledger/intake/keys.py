"""API keys: made, found, revoked. A secret is shown once and kept as a hash.

A secret is 32 random bytes, so nobody guesses it however quick the hash is: SHA-256
without salt or stretching is enough, and lets a key be looked up by its hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import IntegrityError
from django.db.models import QuerySet

from rekindle.errors import LedgerError, UsageError
from rekindle.ledger import intake_models
from rekindle.ledger.queries import ledger_errors, ledger_transaction

PREFIX = "rk_"
SECRET_BYTES = 32
SOURCE = re.compile(r"[a-z][a-z0-9_]{0,62}")
NAME = re.compile(r"[\w][\w .-]{0,99}")
USE_IS_NOTED_EVERY = timedelta(hours=1)
BAR = "|"


class Scope(StrEnum):
    """What a key may do.

    ``browser`` is for keys that anyone can read in a page: what its own visitor looked at,
    put into a cart and says of themselves. ``behaviour`` is what such keys had before; it
    speaks for its visitor alone as well. ``metrics`` may read figures, and report nothing.
    """

    EVENTS = "events"
    BROWSER = "browser"
    BEHAVIOUR = "behaviour"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, without its secret."""

    name: str
    source: str
    scopes: frozenset[Scope]
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def is_public(self) -> bool:
        """Return whether anyone may have read it, so that it speaks for its visitor alone."""
        return Scope.EVENTS not in self.scopes


class ApiKeys:
    """The keys of one ledger. Every method raises LedgerError when the database refuses."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def create(self, name: str, *, source: str, scopes: Iterable[Scope], at: datetime) -> str:
        """Make a key and return its secret, which nothing can tell again.

        Raises:
            UsageError: the name is taken, or a name or source is not well formed.
        """
        if not NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no name for a key; write one like 'web shop'")
        if not SOURCE.fullmatch(source):
            raise UsageError(f"{source!r} is no source; write small letters, like 'web'")
        if not (given := frozenset(scopes)):
            raise UsageError(f"a key needs a scope: {', '.join(Scope)}")
        secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        row = intake_models.ApiKey(
            name=name,
            source=source,
            scopes=BAR.join(sorted(given)),
            secret_hash=_hash(secret),
            created_at=at,
        )
        try:
            with ledger_transaction(self._alias):
                row.save(using=self._alias, force_insert=True)
        except LedgerError as error:
            if isinstance(error.__cause__, IntegrityError):
                raise UsageError(f"there is a key {name!r} already; choose another name") from error
            raise
        return secret

    @ledger_errors()
    def all(self) -> list[ApiKey]:
        """Return every key there ever was, oldest first."""
        return [_key_of(row) for row in self._rows().order_by("created_at", "name")]

    def revoke(self, name: str, *, at: datetime) -> None:
        """Make a key useless, for good; once is enough.

        Raises:
            UsageError: there is no key of that name.
        """
        with ledger_transaction(self._alias):
            rows = self._rows().filter(name=name)
            if not rows.exists():
                raise UsageError(f"there is no key {name!r}; `rekindle key list` shows them")
            rows.filter(revoked_at=None).update(revoked_at=at)

    def find(self, secret: str, *, at: datetime) -> ApiKey | None:
        """Return the key this is the secret of, or None if it is none or was revoked."""
        hashed = _hash(secret)
        with ledger_errors():
            row = self._rows().filter(secret_hash=hashed, revoked_at=None).first()
            if row is None or not hmac.compare_digest(row.secret_hash, hashed):
                return None
            if row.last_used_at is None or at - row.last_used_at >= USE_IS_NOTED_EVERY:
                self._rows().filter(name=row.name).update(last_used_at=at)
        return _key_of(row)

    def _rows(self) -> QuerySet[intake_models.ApiKey]:
        return intake_models.ApiKey.objects.using(self._alias)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key_of(row: intake_models.ApiKey) -> ApiKey:
    return ApiKey(
        name=row.name,
        source=row.source,
        scopes=frozenset(Scope(word) for word in row.scopes.split(BAR)),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
