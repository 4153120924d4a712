"""Watches how far an HTTP request came: what was not written whole was taken by nobody.

A library says the same of a handshake that fails and of an answer that breaks: only the
connection itself knows whether anything had left by then.
"""

from __future__ import annotations

from enum import Enum
from threading import local
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError


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


class WatchingAdapter(HTTPAdapter):
    """Sends requests over connections that note how far these came."""

    def init_poolmanager(self, *given: Any, **more: Any) -> None:
        """Make the pools of connections, of watched ones."""
        super().init_poolmanager(*given, **more)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, *given: Any, **more: Any) -> Any:
        """Return the pools of a proxy, of watched connections."""
        manager = super().proxy_manager_for(*given, **more)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:  # type: ignore[override]
        """Send one request, of which nothing has left yet."""
        _note(Progress.UNSEEN)
        return super().send(request, **more)


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
