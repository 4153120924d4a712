"""HTTP as a message needs it: bounded answers, no redirects, and known how far a request came.

A request that was not written whole was taken by nobody, and may be sent again. One that
was, and got no answer that can be understood, is of unknown fate.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from threading import local
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError

from rekindle.clock import stopwatch

LARGEST_ANSWER_BYTES = 1_048_576
PIECE = 8192
CONNECT_SECONDS = 10.0


class Progress(Enum):
    """How far the latest request of a thread came."""

    UNSEEN = "nobody saw it leave: it went by a connection of another kind"
    OPENING = "the connection was being opened"
    WRITTEN = "all of it, or some of it, was written"


_latest = local()


def _note(progress: Progress) -> None:
    _latest.progress = progress


class _Watched:
    """Notes how far a request came over this connection.

    Headers that could not be written are no request yet: the other side had closed a kept
    connection. A proxy is told where to go while the connection is being opened.
    """

    _is_opening = False

    def connect(self) -> None:
        _note(Progress.OPENING)
        self._is_opening = True
        try:
            super().connect()  # type: ignore[misc]
        finally:
            self._is_opening = False

    def putrequest(self, *given: Any, **more: Any) -> None:
        if not self._is_opening:
            _note(Progress.OPENING)
        super().putrequest(*given, **more)  # type: ignore[misc]

    def send(self, data: Any) -> None:
        super().send(data)  # type: ignore[misc]
        if not self._is_opening:
            _note(Progress.WRITTEN)


class _WatchedHttp(_Watched, HTTPConnection):
    pass


class _WatchedHttps(_Watched, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHttp


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHttps


POOLS = {"http": _HttpPool, "https": _HttpsPool}


class _BoundedAdapter(HTTPAdapter):
    """Reads an answer whole, of so many bytes and within so many seconds."""

    def init_poolmanager(self, *given: Any, **more: Any) -> None:
        super().init_poolmanager(*given, **more)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, *given: Any, **more: Any) -> Any:
        manager = super().proxy_manager_for(*given, **more)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:  # type: ignore[override]
        _note(Progress.UNSEEN)
        _, seconds = more.get("timeout") or (CONNECT_SECONDS, CONNECT_SECONDS)
        response = super().send(request, **{**more, "stream": True})
        response._content = b"".join(_pieces(response, seconds))
        response._content_consumed = True  # type: ignore[attr-defined]
        return response


class PatientSession(requests.Session):
    """A session that follows no redirect: a message is for one place, and no other.

    Which proxy leads there, by the environment, is found once and not for each message.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        for scheme in ("https://", "http://"):
            self.mount(scheme, _BoundedAdapter())
        found = self.merge_environment_settings(url, {}, None, None, None)
        self.proxies, self.verify = found["proxies"], found["verify"]
        self.trust_env = False

    def resolve_redirects(self, *given: Any, **more: Any) -> Iterator[requests.Response]:
        """Yield nothing: the answer that redirects is the answer."""
        return iter(())


def is_unsent(error: BaseException | None) -> bool:
    """Return whether a request that failed so was not written whole, so that none took it."""
    progress = getattr(_latest, "progress", Progress.UNSEEN)
    if progress is Progress.UNSEEN:
        return _says_not_connected(error)
    return progress is Progress.OPENING


def _says_not_connected(error: BaseException | None) -> bool:
    if isinstance(error, requests.ConnectTimeout):
        return True
    inner = [getattr(one, "reason", one) for one in getattr(error, "args", ())]
    return any(isinstance(one, NewConnectionError | NameResolutionError) for one in inner)


def _pieces(response: requests.Response, seconds: float) -> Iterator[bytes]:
    elapsed, size = stopwatch(), 0
    try:
        while piece := response.raw.read1(PIECE, decode_content=True):
            size += len(piece)
            if size > LARGEST_ANSWER_BYTES or elapsed() > seconds:
                response.raw.close()
                raise requests.ConnectionError("an answer that is too long, or too slow")
            yield piece
    except HTTPError as error:
        raise requests.ConnectionError(error) from error
    finally:
        response.raw.release_conn()
