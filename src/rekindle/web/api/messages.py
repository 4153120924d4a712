"""One request and one answer, as the views see them.

A body is read within bounds whatever its headers say: so many bytes as sent, so many
once unpacked. Django's request, with its middleware and signals, took two milliseconds
of every call here; a batch of a hundred events may take five.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any

from rekindle.intake import parse_json

MOST_EVENTS = 500
# Twice what Segment takes, so that 500 events of common size fit in one batch:
# https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#errors
LARGEST_BODY_BYTES = 1024 * 1024
LARGEST_UNPACKED_BYTES = 5 * 1024 * 1024
GZIP = 31  # zlib's window bits for a gzip header and trailer


class Refused(Exception):  # noqa: N818 - an answer, raised past the rest of the work
    """A request that is answered with an error at once."""

    def __init__(self, status: HTTPStatus, error: str, **headers: str) -> None:
        super().__init__(error)
        self.answer = Response({"success": False, "error": error}, status, headers)


@dataclass(frozen=True)
class Response:
    """What is sent back: a JSON document (or other bytes), a status, further headers."""

    document: Mapping[str, Any] | None
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""

    @property
    def body(self) -> bytes:
        """Return the document as bytes."""
        if self.document is None:
            return self.raw
        text = json.dumps(self.document, ensure_ascii=False, separators=(",", ":"))
        return text.encode(errors="replace")  # half a character of what was sent to us


class Request:
    """What was asked, read as far as somebody looks."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ
        self.method = str(environ["REQUEST_METHOD"])
        self.path = str(environ.get("PATH_INFO", ""))

    def header(self, name: str) -> str:
        """Return a header's value, "" if it was not sent."""
        return str(self._environ.get("HTTP_" + name.upper().replace("-", "_"), ""))

    @cached_property
    def secret(self) -> str | None:
        """Return the key's secret: from basic auth, a bearer token, or the body."""
        scheme, _, value = self.header("Authorization").partition(" ")
        if scheme.lower() == "basic":
            return _user_of(value)
        if scheme.lower() == "bearer":
            return value.strip() or None
        if self.method in ("GET", "HEAD"):
            return None
        given = self.document.get("writeKey") if isinstance(self.document, dict) else None
        return given if isinstance(given, str) and given else None

    @cached_property
    def document(self) -> Any:
        """Return the body, parsed.

        Raises:
            Refused: it is too large, packed in an unknown way, or no JSON.
        """
        try:
            return parse_json(self._body())
        except ValueError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, f"the body is no JSON: {error}") from error

    @property
    def query(self) -> str:
        """Return what stands behind the question mark of the address."""
        return str(self._environ.get("QUERY_STRING", ""))

    @property
    def headers(self) -> Mapping[str, str]:
        """Return every header by its name in small letters."""
        return {
            name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
            for name, value in self._environ.items()
            if name.startswith("HTTP_") or name == "CONTENT_TYPE"
        }

    @property
    def url(self) -> str:
        """Return the public address that was asked for, as far as the server is told it."""
        scheme = self.header("X-Forwarded-Proto") or str(self._environ.get("wsgi.url_scheme", ""))
        address = f"{scheme}://{self.header('Host')}{self.path}"
        return f"{address}?{self.query}" if self.query else address

    @cached_property
    def body(self) -> bytes:
        """Return the body, unpacked.

        Raises:
            Refused: it is too large, or packed in an unknown way.
        """
        return self._body()

    def _body(self) -> bytes:
        body = self._sent()
        packing = self.header("Content-Encoding").strip().lower()
        if packing in ("", "identity"):
            return body
        if packing == "gzip":
            return _unpacked(body)
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Encoding {packing!r:.40}: only gzip"
        )

    def _sent(self) -> bytes:
        given = self._environ.get("CONTENT_LENGTH") or "0"
        if not str(given).isdigit():
            raise Refused(HTTPStatus.BAD_REQUEST, "Content-Length is no number")
        if int(given) > LARGEST_BODY_BYTES:
            raise _too_large(LARGEST_BODY_BYTES, "as sent")
        return bytes(self._environ["wsgi.input"].read(int(given)))


def _user_of(value: str) -> str | None:
    try:
        user = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user or None


def _unpacked(body: bytes) -> bytes:
    unpacking = zlib.decompressobj(GZIP)
    try:
        whole = unpacking.decompress(body, LARGEST_UNPACKED_BYTES + 1)
    except zlib.error as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"the body is no gzip: {error}") from error
    if len(whole) > LARGEST_UNPACKED_BYTES:
        raise _too_large(LARGEST_UNPACKED_BYTES, "unpacked")
    if not unpacking.eof:
        raise Refused(HTTPStatus.BAD_REQUEST, "the body is cut off: its gzip does not end")
    return whole


def _too_large(limit: int, how: str) -> Refused:
    return Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body is larger than {limit:,} bytes {how}; send smaller batches",
    )
