"""The portal and the worker in one process: what ``rekindle up`` runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import waitress

from rekindle.errors import ConfigError
from rekindle.portal.app import build_app
from rekindle.runtime import LedgerSubscriptions, Worker, Workspace

# A link is 200 bytes and the body RFC 8058 asks for 26; nothing larger is for us.
LARGEST_HEADER_BYTES = 16_384
LARGEST_BODY_BYTES = 65_536

logger = logging.getLogger(__name__)


def build_portal(workspace: Workspace) -> Callable[..., object]:
    """Return the portal of ``workspace`` as a WSGI application."""
    workspace.ledger  # noqa: B018 - connect and migrate before the first request
    return build_app(LedgerSubscriptions(workspace), workspace.secret)


def serve(workspace: Workspace, *, every_seconds: float, is_stopping: Callable[[], bool]) -> None:
    """Serve the portal and run the worker until told to stop.

    Raises:
        ConfigError: the address to listen on is taken.
    """
    host, _, port = workspace.config.portal.listen.rpartition(":")
    try:
        server = waitress.create_server(
            build_portal(workspace),
            host=host,
            port=int(port),
            threads=4,
            ident=None,
            max_request_header_size=LARGEST_HEADER_BYTES,
            max_request_body_size=LARGEST_BODY_BYTES,
        )
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}:{port}: {error.strerror}; "
            "set portal.listen in rekindle.toml to a free address"
        ) from error
    pages = threading.Thread(target=server.run, name="portal", daemon=True)
    pages.start()
    logger.info("portal at http://%s:%s", server.effective_host, server.effective_port)
    try:
        Worker(Workspace.open(workspace.directory, clock=workspace.clock)).run(
            every_seconds=every_seconds, is_stopping=is_stopping
        )
    finally:
        server.close()
