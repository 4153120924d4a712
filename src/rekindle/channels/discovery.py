"""Finds the channels: the folders of this room, and those of installed packages.

No list names them. A package brings one by an entry point of the group
``rekindle.channels`` that leads to its ``ChannelFolder``.
"""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rekindle.config import Config, load_extensions, load_secrets
from rekindle.content import Form
from rekindle.errors import ConfigError
from rekindle.messages import (
    Capabilities,
    ChannelFolder,
    Finding,
    Outlet,
    OutletEntry,
    Severity,
    Surroundings,
)
from rekindle.vocabulary import Channel, Money

if TYPE_CHECKING:
    from rekindle.channels.asking import Asker
    from rekindle.channels.webhook.posting.telling import Teller

FILES = ("README.md", "__init__.py", "outlet.py", "settings.py", "webhook.py")
GROUP = "rekindle.channels"
FACE = "CHANNEL"


def discover() -> Mapping[str, ChannelFolder]:
    """Return the channels there are, by name.

    Raises:
        ConfigError: a package's channel cannot be loaded, or two have one name.
    """
    # What is installed does not change while a process runs, but for its import path.
    return _discover(tuple(sys.path))


def find_channel(name: str) -> ChannelFolder:
    """Return the channel of this name.

    Raises:
        ConfigError: there is none.
    """
    channels = discover()
    if name not in channels:
        raise ConfigError(
            f"no channel {name!r} is installed; there are {', '.join(sorted(channels))}"
        )
    return channels[name]


def word_for(name: str) -> str:
    """Return what people call a channel; its name where nobody says, or it is gone."""
    known = discover().get(name)
    return (known.called if known is not None else "") or name


def find_outlet(name: str) -> tuple[ChannelFolder, OutletEntry]:
    """Return the outlet of this name with its channel.

    Raises:
        ConfigError: there is none of that name.
    """
    known = _outlets(tuple(sys.path))
    if name not in known:
        raise ConfigError(f"no outlet {name!r}; there are {', '.join(sorted(known))}")
    return known[name]


def find_form(name: str) -> Form:
    """Return what a template has to be to leave by a channel.

    Raises:
        ConfigError: there is no such channel.
    """
    folder = find_channel(name)
    return Form(name, folder.parts, folder.has_destinations)


def find_capabilities(config: Config) -> dict[Channel, Capabilities]:
    """Return the channels there are, with what each can do as it is set up."""
    found = {}
    for name, folder in discover().items():
        _, entry = find_outlet(config.channel(name).outlet)
        found[folder.channel] = entry.capabilities
    return found


def find_costs(config: Config) -> dict[Channel, int]:
    """Return what one message costs at most through each channel, in micros."""
    currency = config.workspace.currency
    return {
        folder.channel: Money(config.channel(name).highest_cost, currency).micros
        for name, folder in discover().items()
    }


def build_asker(timeout_seconds: float, *, secrets: Sequence[str]) -> Asker:
    """Return who asks others over HTTP; its answers show none of ``secrets``."""
    from rekindle.channels.asking import Asker

    return Asker(timeout_seconds, secrets=secrets)


def build_teller(url: str, *, timeout_seconds: float) -> Teller:
    """Return what tells a system of the user's own of what happened.

    Raises:
        ConfigError: there is no secret to sign with, or anybody on the way could read along.
    """
    from rekindle.channels.webhook.posting.telling import Teller

    return Teller(url, timeout_seconds=timeout_seconds)


def build_outlet(name: str, settings: Any, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet called ``name``, built from its channel's settings.

    Raises:
        ConfigError: there is none of that name.
    """
    _, entry = find_outlet(name)
    return entry.build(settings, base=base, secrets=secrets)


def require_ready(folder: ChannelFolder, settings: Any, surroundings: Surroundings) -> None:
    """Refuse to write through a channel whose settings lack what every message needs.

    Raises:
        ConfigError: naming the first thing that is missing, and what to do about it.
    """
    for finding in find_faults(folder, settings, surroundings):
        if finding.severity is Severity.REFUSES:
            raise ConfigError(f"{finding.problem}; {finding.remedy}")


def find_faults(
    folder: ChannelFolder,
    settings: Any,
    surroundings: Surroundings,
    *,
    looks_outside: bool = False,
) -> Iterator[Finding]:
    """Yield what a channel says of its own settings, and of the secrets of its outlet.

    With ``looks_outside`` it asks others as well: DNS, a provider.
    """
    _, entry = find_outlet(settings.outlet)
    known = replace(surroundings, secrets=load_secrets(entry.secrets))
    yield from folder.check(settings, entry, known)
    if looks_outside:
        yield from folder.look(settings, entry, known)


@lru_cache(maxsize=8)
def _discover(path: tuple[str, ...]) -> Mapping[str, ChannelFolder]:
    found: dict[str, ChannelFolder] = {}
    outlets: dict[str, str] = {}
    for place, folder in (*_own(), *_installed()):
        if not isinstance(folder, ChannelFolder):
            raise ConfigError(f"{place} is no ChannelFolder; export one as `CHANNEL`")
        name = folder.channel.value
        if name in found:
            raise ConfigError(f"{place} brings the channel {name!r}, which there is already")
        for entry in folder.outlets:
            if entry.name in outlets:
                raise ConfigError(f"{place} brings the outlet {entry.name!r}, which there is")
            outlets[entry.name] = name
        found[name] = folder
    return MappingProxyType(found)


@lru_cache(maxsize=8)
def _outlets(path: tuple[str, ...]) -> Mapping[str, tuple[ChannelFolder, OutletEntry]]:
    channels = _discover(path).values()
    return MappingProxyType({entry.name: (one, entry) for one in channels for entry in one.outlets})


def _own() -> Iterator[tuple[str, Any]]:
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.ispkg:
            name = f"{__package__}.{module.name}"
            yield name, getattr(import_module(name), FACE)


def _installed() -> Iterator[tuple[str, Any]]:
    for point, folder in load_extensions(GROUP):
        yield point.value, folder
