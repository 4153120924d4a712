"""What an engine is opened over, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from rekindle.config import Config
from rekindle.facts.lake import Lake

if TYPE_CHECKING:
    from rekindle.facts.engines.engine import Engine


@dataclass(frozen=True, slots=True)
class FactsPlace:
    """Where the facts are: a lake, or a warehouse that is read in its place.

    ``currency`` is of every amount, ``zone`` the business's IANA zone. ``options`` are
    settings of the engine itself. ``rates`` are what one unit of other currencies is worth.
    """

    lake: Lake
    currency: str
    zone: str
    warehouse: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config, base: Path) -> FactsPlace:
        """Return where the facts of the workspace in the folder ``base`` are."""
        business, facts = config.workspace, config.facts
        return cls(
            Lake.of(facts, base),
            currency=business.currency,
            zone=business.timezone,
            warehouse=facts.warehouse,
            options=facts.options,
            rates=facts.rates,
        )

    def version(self, now: datetime, *tables: str) -> str:
        """Return a word that changes whenever the facts do, or those in these tables.

        What amounts are worth is of the facts.

        A warehouse says nothing of its changes; its facts are new every minute.
        """
        if self.warehouse is not None:
            return now.isoformat(timespec="minutes")
        versions = self.lake.versions()
        word = str({name: versions.get(name) for name in tables} if tables else versions)
        rates = (f" {code}={rate.normalize()}" for code, rate in sorted(self.rates.items()))
        return word + "".join(rates)


@dataclass(frozen=True, slots=True)
class EngineCapabilities:
    """What may be asked of an engine.

    ``reads_lake`` and ``reads_warehouse``: what it may be opened over. ``is_parallel``:
    several threads' questions run at the same time, instead of one after the other.
    """

    reads_lake: bool
    reads_warehouse: bool
    is_parallel: bool


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """One engine as the settings name it: how it is opened, and what it can do.

    ``schemes`` are the beginnings of warehouse URLs that mean this engine. ``extra`` is
    what has to be installed beside rekindle, if anything.
    """

    name: str
    summary: str
    capabilities: EngineCapabilities
    open: Callable[[FactsPlace], Engine]
    schemes: frozenset[str] = frozenset()
    extra: str = ""
