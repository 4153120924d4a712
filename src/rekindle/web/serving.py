"""Portal, API and worker in one process: what ``rekindle up`` runs.

The two web applications do not know each other; which of them answers follows from the
address, here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

from rekindle.desk import read_daily
from rekindle.errors import ConfigError
from rekindle.runtime import Workspace
from rekindle.web.api import build_api
from rekindle.web.listening import open_server
from rekindle.web.portal import PASS_EVERY_SECONDS, build_portal
from rekindle.worker import (
    BillerNotices,
    LedgerFigures,
    LedgerIntake,
    LedgerLeaveLinks,
    LedgerShowing,
    ProviderReports,
    Worker,
    require_settings,
)

API, METRICS = "/v1/", "/metrics"

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

logger = logging.getLogger(__name__)


def build_site(workspace: Workspace, *, every_seconds: float = PASS_EVERY_SECONDS) -> Application:
    """Return portal and API of ``workspace`` as one WSGI application.

    A worker is expected to pass about every so many seconds.
    """
    portal: Any = build_portal(workspace, every_seconds=every_seconds)
    intake = LedgerIntake(workspace)
    api = build_api(
        intake,
        reports=ProviderReports(workspace),
        figures=LedgerFigures(workspace, intake),
        kept=LedgerShowing(workspace),
        notices=BillerNotices(workspace),
        leaving=links if (links := LedgerLeaveLinks(workspace)).is_on else None,
        origins=workspace.config.api.origins,
    )

    def site(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        address = str(environ.get("PATH_INFO", ""))
        is_api = address.startswith(API) or address == METRICS
        chunks: Iterable[bytes] = (api if is_api else portal)(environ, start_response)
        return chunks

    return site


def build_server(workspace: Workspace, *, every_seconds: float = PASS_EVERY_SECONDS) -> Any:
    """Return a web server for ``build_site``, listening where the settings say.

    Raises:
        ConfigError: the address to listen on is taken.
    """
    host, _, port = workspace.config.portal.listen.rpartition(":")
    site = build_site(workspace, every_seconds=every_seconds)
    try:
        return open_server(site, host=host, port=int(port))
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}:{port}: {error.strerror}; "
            "set portal.listen in rekindle.toml to a free address"
        ) from error


def serve(workspace: Workspace, *, every_seconds: float, is_stopping: Callable[[], bool]) -> None:
    """Serve portal and API and run the worker until told to stop.

    Raises:
        ConfigError: the address to listen on is taken, or messages to people lack something.
    """
    require_settings(workspace)
    server = build_server(workspace, every_seconds=every_seconds)
    pages = threading.Thread(target=server.run, name="web", daemon=True)
    pages.start()
    logger.info("portal at http://%s:%s", server.effective_host, server.effective_port)
    try:
        own = Workspace.open(workspace.directory, clock=workspace.clock)
        Worker(own, read=read_daily).run(every_seconds=every_seconds, is_stopping=is_stopping)
    finally:
        server.close()
