"""Finds the outlets: every folder of this room is one, and no list names them."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from rekindle.channels.interfaces import Outlet, OutletFactory
from rekindle.config import EmailSettings
from rekindle.errors import ConfigError
from rekindle.vocabulary import Channel

FILES = ("README.md", "__init__.py", "outlet.py")


@dataclass(frozen=True, slots=True)
class Entry:
    """One outlet's folder: what it is for, how to build it, which secrets it takes."""

    name: str
    channel: Channel
    summary: str
    is_idempotent: bool
    secrets: tuple[str, ...]
    build: OutletFactory


def discover() -> Mapping[str, Entry]:
    """Return the outlets by name."""
    folder = Path(__file__).parent
    found = {}
    for module in pkgutil.iter_modules([str(folder)]):
        if module.ispkg:
            face = import_module(f"rekindle.channels.{module.name}")
            found[module.name] = Entry(
                name=module.name,
                channel=face.Outlet.channel,
                summary=face.SUMMARY,
                is_idempotent=face.Outlet.is_idempotent,
                secrets=tuple(face.SECRETS),
                build=face.Outlet,
            )
    return found


def build_outlet(
    name: str, settings: EmailSettings, *, base: Path, secrets: Mapping[str, str]
) -> Outlet:
    """Return the outlet called ``name``.

    Raises:
        ConfigError: there is none of that name.
    """
    outlets = discover()
    if name not in outlets:
        raise ConfigError(f"no outlet {name!r}; there are {', '.join(sorted(outlets))}")
    return outlets[name].build(settings, base=base, secrets=secrets)


def describe_channels() -> str:
    """Return the matrix of outlets as a Markdown table."""
    head = (
        "| outlet | channel | what it does | the same key twice | secrets |\n|---|---|---|---|---|"
    )
    rows = [
        f"| `{one.name}` | {one.channel} | {one.summary} | "
        f"{'arrives once' if one.is_idempotent else 'would arrive twice; never tried'} | "
        f"{', '.join(f'`{secret}`' for secret in one.secrets) or '–'} |"
        for one in discover().values()
    ]
    return "\n".join([head, *rows]) + "\n"
