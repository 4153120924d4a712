"""Widens the configuration by the channels there are, each with a section of its own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any, Literal, Protocol

from pydantic import Field, create_model

from rekindle.config.model import (
    BudgetSettings,
    CapSettings,
    CapsSettings,
    ChannelSettings,
    Config,
)
from rekindle.errors import ConfigError


class ChannelSection(Protocol):
    """What a channel brings to the configuration: its section, and the cap it begins with."""

    @property
    def settings(self) -> type[ChannelSettings]:
        """Return the model of its section; every key of it has a default."""

    @property
    def has_destinations(self) -> bool:
        """Return whether its steps name a list, in place of a template."""

    @property
    def cap(self) -> CapSettings | None:
        """Return the cap on its marketing where ``[caps]`` says none."""


def known_channels() -> Mapping[str, ChannelSection]:
    """Return the channels there are, by name.

    Their settings live in their folders, which stand above this room; so the room of
    channels is asked by its name, as an installed package is.
    """
    found: Mapping[str, ChannelSection] = import_module("rekindle.channels").discover()
    return found


def config_model() -> type[Config]:
    """Return ``Config`` with a section, a cap and a budget's choice for each channel there is."""
    return _config_model(tuple(known_channels().items()))


@lru_cache(maxsize=8)
def _config_model(channels: tuple[tuple[str, ChannelSection], ...]) -> type[Config]:
    sections: dict[str, Any] = {}
    caps: dict[str, Any] = {}
    for name, one in channels:
        if name in Config.model_fields or name in CapsSettings.model_fields:
            raise ConfigError(f"a channel cannot be called {name!r}: a section has that name")
        sections[name] = (one.settings, one.settings())
        kind = CapSettings if one.cap is not None else CapSettings | None
        caps[name] = (kind, Field(one.cap, description=f"The channel {name} alone."))
    names: Any = Literal[tuple(name for name, _ in channels)]
    choice = Field(None, description="The channel; none for all.")
    capped = create_model("CapsSettings", __base__=CapsSettings, **caps)
    budget: Any = create_model(
        "BudgetSettings", __base__=BudgetSettings, channel=(names | None, choice)
    )
    return create_model(
        "Config",
        __base__=Config,
        caps=(capped, capped()),
        budgets=(tuple[budget, ...], ()),
        **sections,
    )
