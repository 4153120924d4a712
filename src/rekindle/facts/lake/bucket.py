"""A lake in a bucket of an object store, which knows no lock and no rename.

Its manifest is put on the condition that it is still the one that was read: of two
imports at once the slower one is refused, and what it wrote is rolled back by the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from rekindle.config import load_secret
from rekindle.errors import BusyError, ConfigError, LakeError
from rekindle.facts.sql import first_and_last_line, first_line

ALLOW_HTTP = "AWS_ALLOW_HTTP"
# What Delta and obstore both read; each may also be named by NAME_FILE.
KEYS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    ALLOW_HTTP,
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
)


class Bucket:
    """A place in a bucket, ``s3://bucket/folder``; ``spill`` is a folder of this machine."""

    is_exclusive = False

    def __init__(self, url: str, *, spill: Path) -> None:
        try:
            from obstore.store import from_url
        except ImportError as error:
            raise ConfigError(
                f"[facts] lake = {url!r} needs the client of a store: pip install 'rekindle[s3]'"
            ) from error
        self._url, self.spill = url.rstrip("/"), spill
        self._options = {key: value for key in KEYS if (value := load_secret(key))}
        try:
            self._store: Any = from_url(self._url, **_client(self._options))
        except Exception as error:  # a client's own kinds, for an address it does not know
            raise ConfigError(f"[facts] lake = {url!r}: {first_line(error)}") from error

    def __str__(self) -> str:
        return self._url

    def uri(self, table: str) -> str:
        """Return the table's address."""
        return f"{self._url}/{table}"

    def options(self) -> dict[str, str]:
        """Return the keys and the address of the store."""
        return self._options

    def load(self, name: str) -> tuple[bytes, str] | None:
        """Return an object and its ETag."""
        with _reaching(self):
            try:
                found = self._store.get(name)
            except FileNotFoundError:
                return None
            return bytes(found.bytes()), str(found.meta["e_tag"])

    def save(self, name: str, data: bytes, mark: str | None) -> None:
        """Put an object if it is still the one with the ETag ``mark``, or still not there."""
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        mode: Any = "create" if mark is None else {"e_tag": mark}
        with _reaching(self):
            try:
                self._store.put(name, data, mode=mode)
            except (AlreadyExistsError, PreconditionError) as error:
                raise BusyError(
                    f"another import has written to {self} meanwhile; import again"
                ) from error

    def sizes(self, table: str) -> Mapping[str, int]:
        """Return the data files of a table."""
        with _reaching(self):
            listed = self._store.list_with_delimiter(f"{table}/")["objects"]
        return {one["path"].rpartition("/")[2]: one["size"] for one in listed}

    def remove(self, table: str, file: str) -> None:
        """Delete a data file."""
        with _reaching(self):
            self._store.delete(f"{table}/{file}")

    def set_aside(self, name: str) -> None:
        """Leave it: another importer may be in the middle of writing it."""

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep nobody out; ``save`` refuses whoever comes second."""
        self.spill.mkdir(parents=True, exist_ok=True)
        yield

    def show(self, con: duckdb.DuckDBPyConnection) -> None:
        """Let DuckDB read the bucket through the same client; once a connection."""
        from obstore.fsspec import FsspecStore

        scheme = self._url.partition("://")[0]
        if not con.filesystem_is_registered(scheme):
            build: Any = FsspecStore
            con.register_filesystem(build(scheme, **_client(self._options)))


def _client(options: Mapping[str, str]) -> dict[str, Any]:
    """Return the same options as obstore takes them."""
    allows_http = options.get(ALLOW_HTTP, "").lower() in ("1", "true", "yes")
    return {
        "config": {key.lower(): value for key, value in options.items() if key != ALLOW_HTTP},
        "client_options": {"allow_http": allows_http},
    }


@contextmanager
def _reaching(bucket: Bucket) -> Iterator[None]:
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, OSError) as error:
        raise LakeError(f"{bucket} cannot be reached: {first_and_last_line(error)}") from error
