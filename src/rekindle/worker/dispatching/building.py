"""Wires the dispatchers of a workspace, one a channel."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence

from rekindle.channels import discover, find_outlet
from rekindle.config import load_secrets
from rekindle.errors import ConfigError
from rekindle.journeys import Audience
from rekindle.ledger import Instructions, KeptMessages, Meters, Stops
from rekindle.messages import ChannelFolder
from rekindle.runtime import Workspace
from rekindle.worker.dispatching.dispatcher import (
    Compose,
    Dispatcher,
    DispatchReport,
    Means,
    name_worker,
)
from rekindle.worker.dispatching.looking import LastLook
from rekindle.worker.dispatching.metering import MeteredPace
from rekindle.worker.dispatching.stopping import LedgerDoor

logger = logging.getLogger(__name__)


class Dispatchers:
    """Sends the messages of every channel, one channel after the other."""

    def __init__(
        self, each: Sequence[Dispatcher], workspace: Workspace, troubles: Sequence[str] = ()
    ) -> None:
        self._each, self._workspace, self._troubles = each, workspace, troubles

    def run(self, *, is_stopping: Callable[[], bool] = lambda: False) -> DispatchReport:
        """Send everything that may leave now; one channel's trouble holds no other up."""
        outcomes: Counter[str] = Counter()
        reports = [one.run(is_stopping=is_stopping) for one in self._each]
        for report in reports:
            outcomes.update(report.outcomes)
        # What waits for an outlet that is stopped, or that cannot be built, goes stale as ever,
        # and nobody claims it.
        known = {one.channel for one in self._each if one.channel and not one.is_shut}
        space = self._workspace
        KeptMessages(space.ledger, space.terms).drop_over(space.clock.now())
        if gone := space.outbox.expire_but(known, space.clock.now()):
            outcomes["cancelled"] += gone
        troubles = [*self._troubles, *(report.trouble for report in reports if report.trouble)]
        waits = [report.again_in for report in reports if report.again_in is not None]
        return DispatchReport(outcomes, "; ".join(troubles), min(waits, default=None))


def build_dispatcher(workspace: Workspace, compose: Compose, audience: Audience) -> Dispatchers:
    """Return what sends the workspace's messages as its configuration says.

    ``audience`` is asked once more about the people, as the engine asked it.

    An outlet that cannot be built keeps its own messages back, and no others.
    """
    told = Instructions(workspace.ledger, workspace.config.billing.provider)
    look = LastLook(workspace.book, workspace.rules, audience, leaving=told.stopping)
    each: list[Dispatcher] = []
    troubles: list[str] = []
    for folder in discover().values():
        try:
            each.append(_of_channel(workspace, folder, compose, look))
        except ConfigError as error:
            troubles.append(str(error))
        except Exception as error:
            # A defect of a package's outlet, which is nobody else's business.
            logger.exception("the channel %s cannot be set up", folder.channel)
            troubles.append(f"{folder.channel}: {type(error).__name__}: {error}")
    return Dispatchers(each, workspace, troubles)


def require_settings(workspace: Workspace) -> None:
    """Refuse to begin where a way out that reaches people lacks what every message needs.

    What only goes to a folder may be tried out with anything.

    Raises:
        ConfigError: naming the first thing that is missing, and what to do about it.
    """
    for folder in discover().values():
        settings = workspace.config.channel(folder.channel)
        _, entry = find_outlet(settings.outlet)
        if entry.capabilities.reaches_people:
            workspace.require_ready(folder.channel)


def _of_channel(
    workspace: Workspace, folder: ChannelFolder, compose: Compose, look: LastLook
) -> Dispatcher:
    settings = workspace.config.channel(folder.channel)
    _, entry = find_outlet(settings.outlet)
    secrets = load_secrets(entry.secrets)
    outlet = entry.build(settings, base=workspace.directory, secrets=secrets)
    meters, name = Meters(workspace.ledger), name_worker()
    means = Means(
        compose=compose,
        look=look,
        clock=workspace.clock,
        pace=MeteredPace(meters, settings, channel=folder.channel, zone=workspace.zone),
        connections=entry.connections(settings),
        channel=folder.channel,
        idempotent_for=entry.capabilities.idempotent_for,
        door=LedgerDoor(Stops(workspace.ledger), entry.name, worker=name),
        outlet=entry.name,
        keeps=entry.capabilities.is_asked_for,
    )
    return Dispatcher(workspace.outbox, outlet, means, worker=name)
