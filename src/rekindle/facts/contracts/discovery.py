"""Finds the tables: each file here and in `further` that describes one, and those from outside.

An installed package adds a table by an entry point of the group ``rekindle.tables`` that
names a ``Contract``. No list of tables is kept by hand.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from pathlib import Path

from rekindle.config import load_extensions
from rekindle.errors import ConfigError
from rekindle.facts.contracts.model import Contract

GROUP = "rekindle.tables"


class Contracts(Mapping[str, Contract]):
    """Every table's contract by name, looked for when first asked.

    Not earlier: a package from outside imports this one to describe its table.
    """

    def __getitem__(self, table: str) -> Contract:
        return self._found[table]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    @property
    def facts(self) -> tuple[Contract, ...]:
        """Return the tables that tell what happened in the business."""
        return tuple(contract for contract in self.values() if not contract.is_bookkeeping)

    @property
    def bookkeeping(self) -> tuple[Contract, ...]:
        """Return the tables that imports write about themselves."""
        return tuple(contract for contract in self.values() if contract.is_bookkeeping)

    @property
    def required(self) -> tuple[Contract, ...]:
        """Return the tables of facts without which a warehouse cannot be read."""
        further = self.further
        return tuple(contract for contract in self.facts if contract not in further)

    @property
    def further(self) -> tuple[Contract, ...]:
        """Return the tables that not every business has, and those of installed packages.

        A package may be installed before its table is there; until then it is empty.
        """
        own = {contract.table for contract in _own()}
        return tuple(c for c in self.facts if c.is_optional or c.table not in own)

    def look_again(self) -> None:
        """Forget what was found; the next question looks anew."""
        self.__dict__.pop("_found", None)

    @cached_property
    def _found(self) -> Mapping[str, Contract]:
        found = {contract.table: contract for contract in _own()}
        for point, contract in load_extensions(GROUP):
            if not isinstance(contract, Contract):
                raise ConfigError(f"the entry point {point.value} ({GROUP}) names no Contract")
            if contract.table in found:
                raise ConfigError(f"{point.value} ({GROUP}): the table {contract.table} is taken")
            found[contract.table] = contract
        return found


def _own() -> Iterator[Contract]:
    folder = Path(__file__).parent
    names = [f".{one.name}" for one in pkgutil.iter_modules([str(folder)])]
    names += [f".further.{one.name}" for one in pkgutil.iter_modules([str(folder / "further")])]
    for name in sorted(names, key=lambda one: one.rpartition(".")[2]):
        found = getattr(import_module(name, __package__), "CONTRACT", None)
        if isinstance(found, Contract):
            yield found
