"""The portal of a workspace, ready to be served."""

from __future__ import annotations

from collections.abc import Callable

from rekindle.desk import LedgerOptOuts
from rekindle.runtime import Workspace
from rekindle.web.portal.app import build_app
from rekindle.web.portal.interfaces import OptOuts
from rekindle.worker import Guard, Health, LedgerClicks

PASS_EVERY_SECONDS = 60.0


class GuardedOptOuts:
    """Writes to the newest ledger only, and sets the mark behind what was written."""

    def __init__(self, opt_outs: OptOuts, workspace: Workspace) -> None:
        self._opt_outs, self._workspace = opt_outs, workspace

    def shop_name(self) -> str:
        """Return the name people know the business by."""
        return self._opt_outs.shop_name()

    def unsubscribe(self, person: str, list_id: str, *, at_source: str, channel: str = "") -> None:
        """Take the person off the list, unless the ledger is an older copy of itself.

        Raises:
            WorkError: it is, or it is away; the person is told to try again.
        """
        guard = Guard(self._workspace)  # several threads come here
        guard.require_newest()
        self._opt_outs.unsubscribe(person, list_id, at_source=at_source, channel=channel)
        guard.note()


def build_portal(
    workspace: Workspace, *, every_seconds: float = PASS_EVERY_SECONDS
) -> Callable[..., object]:
    """Return the portal of ``workspace`` as a WSGI application.

    A worker is expected to pass about every so many seconds.
    """
    workspace.ledger  # noqa: B018 - connect and migrate before the first request
    health = Health(workspace, every_seconds=every_seconds)
    opt_outs = GuardedOptOuts(LedgerOptOuts(workspace), workspace)
    return build_app(
        opt_outs,
        workspace.secret,
        find_trouble=health.find_trouble,
        clicks=LedgerClicks(workspace),
    )
