"""Wires a dispatcher for a workspace."""

from __future__ import annotations

from rekindle.channels import build_outlet
from rekindle.config import load_secret
from rekindle.gate import build_rules
from rekindle.journeys import Audience
from rekindle.ledger import Meters
from rekindle.runtime import Workspace
from rekindle.worker.dispatching.dispatcher import Compose, Dispatcher, Means
from rekindle.worker.dispatching.looking import LastLook
from rekindle.worker.dispatching.metering import MeteredPace

SECRETS = ("REKINDLE_SMTP_PASSWORD",)


def build_dispatcher(workspace: Workspace, compose: Compose, audience: Audience) -> Dispatcher:
    """Return what sends the workspace's messages as its configuration says.

    ``audience`` is asked once more about the people, as the engine asked it.

    Raises:
        ConfigError: the outlet cannot be built from it.
    """
    email = workspace.config.email
    secrets = {name: load_secret(name) or "" for name in SECRETS}
    outlet = build_outlet(email.outlet, email, base=workspace.directory, secrets=secrets)
    is_smtp = email.outlet == "email_smtp"
    means = Means(
        compose=compose,
        look=LastLook(workspace.book, build_rules(workspace.config), audience),
        clock=workspace.clock,
        pace=MeteredPace(Meters(workspace.ledger), email, outlet=email.outlet, zone=workspace.zone),
        connections=email.smtp.connections if is_smtp else 1,
    )
    return Dispatcher(workspace.outbox, outlet, means)
