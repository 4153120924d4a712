"""The portal of a workspace, ready to be served."""

from __future__ import annotations

from collections.abc import Callable

from rekindle.desk import LedgerSubscriptions
from rekindle.runtime import Workspace
from rekindle.web.portal.app import build_app


def build_portal(workspace: Workspace) -> Callable[..., object]:
    """Return the portal of ``workspace`` as a WSGI application."""
    workspace.ledger  # noqa: B018 - connect and migrate before the first request
    return build_app(LedgerSubscriptions(workspace), workspace.secret)
