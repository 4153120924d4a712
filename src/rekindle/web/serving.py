"""Portal, API and worker in one process: what ``rekindle up`` runs.

The two web applications do not know each other; which of them answers follows from the
address, here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

import waitress

from rekindle.errors import ConfigError
from rekindle.runtime import Workspace
from rekindle.web.api import build_api
from rekindle.web.portal import build_portal
from rekindle.worker import LedgerIntake, Worker

# A link is 200 bytes and a batch of events at most a megabyte; nothing larger is for us.
LARGEST_HEADER_BYTES = 16_384
LARGEST_BODY_BYTES = 1_100_000
THREADS = 4
API = "/v1/"

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

logger = logging.getLogger(__name__)


def build_site(workspace: Workspace) -> Application:
    """Return portal and API of ``workspace`` as one WSGI application."""
    portal: Any = build_portal(workspace)
    api = build_api(LedgerIntake(workspace), origins=workspace.config.api.origins)

    def site(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        is_api = str(environ.get("PATH_INFO", "")).startswith(API)
        chunks: Iterable[bytes] = (api if is_api else portal)(environ, start_response)
        return chunks

    return site


def build_server(workspace: Workspace) -> Any:
    """Return a web server for ``build_site``, listening where the settings say.

    Raises:
        ConfigError: the address to listen on is taken.
    """
    host, _, port = workspace.config.portal.listen.rpartition(":")
    try:
        return waitress.create_server(
            build_site(workspace),
            host=host,
            port=int(port),
            threads=THREADS,
            ident=None,
            max_request_header_size=LARGEST_HEADER_BYTES,
            max_request_body_size=LARGEST_BODY_BYTES,
        )
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}:{port}: {error.strerror}; "
            "set portal.listen in rekindle.toml to a free address"
        ) from error


def serve(workspace: Workspace, *, every_seconds: float, is_stopping: Callable[[], bool]) -> None:
    """Serve portal and API and run the worker until told to stop.

    Raises:
        ConfigError: the address to listen on is taken.
    """
    server = build_server(workspace)
    pages = threading.Thread(target=server.run, name="web", daemon=True)
    pages.start()
    logger.info("portal at http://%s:%s", server.effective_host, server.effective_port)
    try:
        Worker(Workspace.open(workspace.directory, clock=workspace.clock)).run(
            every_seconds=every_seconds, is_stopping=is_stopping
        )
    finally:
        server.close()
