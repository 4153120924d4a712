"""The server behind portal and API, which slow clients do not keep from the others.

One thread hears all connections and hands whole requests to a few others, so a slow client
costs a connection and no thread. What has to be bounded is how many there are, how long one
may say nothing, and how long it may take to say what it wants.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any

import waitress
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer

from rekindle.clock import stopwatch

# A link is 200 bytes and a batch of events at most a megabyte; nothing larger is for us.
LARGEST_HEADER_BYTES = 16_384
LARGEST_BODY_BYTES = 1_100_000
THREADS = 4
SILENT_SECONDS = 30
REQUEST_SECONDS = 60.0
MOST_CONNECTIONS = 2000
# Files, database connections and whatever else this process has open.
OTHER_FILES = 128


class BoundedConnection(HTTPChannel):  # type: ignore[misc]
    """A connection that is closed if one request takes longer to arrive than it may.

    Waitress closes who says nothing; who sends a byte now and then would stay for ever.
    """

    request_seconds = REQUEST_SECONDS
    _age: Callable[[], float] | None = None

    def received(self, data: bytes) -> bool:
        """Take what arrived, unless its request has been arriving for too long."""
        if self._age is not None and self._age() > self.request_seconds:
            self.will_close = True
            self.close_when_flushed = True
            return False
        taken = bool(super().received(data))
        if self.request is None:
            self._age = None
        elif self._age is None:
            self._age = stopwatch()
        return taken


def open_server(application: Callable[..., Any], *, host: str, port: int) -> Any:
    """Return a server that listens on an address; ``run`` serves until it is closed.

    Raises:
        OSError: the address is taken.
    """
    server = waitress.create_server(
        application,
        host=host,
        port=port,
        threads=THREADS,
        ident=None,
        max_request_header_size=LARGEST_HEADER_BYTES,
        max_request_body_size=LARGEST_BODY_BYTES,
        connection_limit=count_connections(),
        channel_timeout=SILENT_SECONDS,
        cleanup_interval=SILENT_SECONDS // 3,
        asyncore_use_poll=True,  # select() knows no more than 1,024 files
    )
    listeners = [server] if isinstance(server, BaseWSGIServer) else list(server.map.values())
    for listener in listeners:
        if isinstance(listener, BaseWSGIServer):
            listener.channel_class = BoundedConnection
    return server


def count_connections() -> int:
    """Return how many connections may be open at once, within what the system allows."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(OTHER_FILES, min(MOST_CONNECTIONS, files - OTHER_FILES))
