"""Wires the dispatchers of a workspace, one a channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from rekindle.channels import discover, find_outlet
from rekindle.config import load_secret
from rekindle.journeys import Audience
from rekindle.ledger import Meters
from rekindle.messages import ChannelFolder
from rekindle.runtime import Workspace
from rekindle.worker.dispatching.dispatcher import Compose, Dispatcher, DispatchReport, Means
from rekindle.worker.dispatching.looking import LastLook
from rekindle.worker.dispatching.metering import MeteredPace


class Dispatchers:
    """Sends the messages of every channel, one channel after the other."""

    def __init__(self, each: Sequence[Dispatcher]) -> None:
        self._each = each

    def run(self, *, is_stopping: Callable[[], bool] = lambda: False) -> DispatchReport:
        """Send everything that may leave now; one channel's trouble holds no other up."""
        outcomes: Counter[str] = Counter()
        reports = [one.run(is_stopping=is_stopping) for one in self._each]
        for report in reports:
            outcomes.update(report.outcomes)
        trouble = "; ".join(report.trouble for report in reports if report.trouble)
        waits = [report.again_in for report in reports if report.again_in is not None]
        return DispatchReport(outcomes, trouble, min(waits, default=None))


def build_dispatcher(workspace: Workspace, compose: Compose, audience: Audience) -> Dispatchers:
    """Return what sends the workspace's messages as its configuration says.

    ``audience`` is asked once more about the people, as the engine asked it.

    Raises:
        ConfigError: an outlet cannot be built from it.
    """
    look = LastLook(workspace.book, workspace.rules, audience)
    each = (_of_channel(workspace, one, compose, look) for one in discover().values())
    return Dispatchers(list(each))


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
    secrets = {name: load_secret(name) or "" for name in entry.secrets}
    outlet = entry.build(settings, base=workspace.directory, secrets=secrets)
    meters = Meters(workspace.ledger)
    means = Means(
        compose=compose,
        look=look,
        clock=workspace.clock,
        pace=MeteredPace(meters, settings, channel=folder.channel, zone=workspace.zone),
        connections=entry.connections(settings),
        channel=folder.channel,
        idempotent_for=entry.capabilities.idempotent_for,
    )
    return Dispatcher(workspace.outbox, outlet, means)
