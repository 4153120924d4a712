"""Finds the families: every file of ``families/``, and those of installed packages.

A package adds a family by an entry point of the group ``rekindle.profiles`` that names a
``Family``. No list of families or columns is kept by hand.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from rekindle.config import find_pieces
from rekindle.errors import ConfigError
from rekindle.profiles.model import Derivation, Family, ProfileColumn

GROUP = "rekindle.profiles"
CUSTOMER_ID = ProfileColumn("customer_id", "text", "", "The person.", place=0)
# What the tables beneath the profile call their own.
TAKEN = frozenset(("customer_id", "as_of", "as_of_on", "valid_from", "valid_to", "at"))
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
AFTER_ALL = 1_000_000


class Families(Mapping[str, Family]):
    """Every family by name, those first that others need; looked for when first asked.

    Not earlier: a package from outside imports this one to declare its family.
    """

    def __getitem__(self, name: str) -> Family:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    @cached_property
    def columns(self) -> tuple[ProfileColumn, ...]:
        """Return the profile's columns in their order."""
        own = [column for name in sorted(self) for column in self[name].columns]
        own.sort(key=lambda column: AFTER_ALL if column.place is None else column.place)
        return (CUSTOMER_ID, *own)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the names of the profile's columns in their order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def by_column(self) -> Mapping[str, ProfileColumn]:
        """Return the profile's columns by name."""
        return {column.name: column for column in self.columns}

    @cached_property
    def covariates(self) -> Mapping[str, str]:
        """Return what the columns mean that are kept of who enters a journey, by name."""
        return {column.name: column.meaning for column in self.columns if column.is_covariate}

    @cached_property
    def maker(self) -> Mapping[str, Family]:
        """Return, by column, inner ones included, the family that adds it."""
        return {column: family for family in self.values() for column in family.makes}

    def behind(self, columns: Collection[str]) -> frozenset[str]:
        """Return ``columns`` and all that they are made of, one through another."""
        found: set[str] = set()
        ahead = set(columns)
        while ahead:
            found |= ahead
            families = {self.maker[column].name for column in ahead if column in self.maker}
            needed = {n for name in families for n in (*self[name].needs, *self[name].may_use)}
            ahead = needed - found
        return frozenset(found)

    def compare_people(self, columns: Collection[str]) -> bool:
        """Return whether some of ``columns`` say something about a person beside the others."""
        makers = {self.maker[name].name for name in self.behind(columns) if name in self.maker}
        hows = (self[name].how for name in makers)
        return any(isinstance(how, Derivation) and not how.is_of_one_row for how in hows)

    def look_again(self) -> None:
        """Forget what was found; the next question looks anew."""
        for name in ("_found", "columns", "names", "by_column", "covariates", "maker"):
            self.__dict__.pop(name, None)

    @staticmethod
    def checked(families: Iterable[tuple[str, Family]]) -> Mapping[str, Family]:
        """Return families, each given with where it stands, in the order they are built.

        Raises:
            ConfigError: a name is taken or is none, or what one needs is not there.
        """
        found: dict[str, Family] = {}
        for place, family in families:
            _check(family, place, found)
            found[family.name] = family
        return {name: found[name] for name in _in_order(found)}

    @cached_property
    def _found(self) -> Mapping[str, Family]:
        return self.checked(find_pieces("rekindle.profiles.families", "FAMILY", GROUP))


def _check(family: Family, place: str, known: Mapping[str, Family]) -> None:
    if not isinstance(family, Family):
        raise ConfigError(f"{place} names no Family")
    if family.name in known:
        raise ConfigError(f"{place}: there is a profile family {family.name!r} already")
    taken = TAKEN.union(*(one.makes for one in known.values()))
    for name in sorted(family.makes):
        if name in taken:
            raise ConfigError(f"{place}: there is a profile column {name!r} already")
        if not NAME.fullmatch(name):
            raise ConfigError(
                f"{place}: {name!r} is no name for a profile column; "
                "write small letters, digits and _"
            )
    for column in family.columns:
        if column.is_covariate and column.type != "text":
            raise ConfigError(
                f"{place}: {column.name!r} is no text, and only a text is a covariate"
            )
    if (family.needs or family.may_use) and not isinstance(family.how, Derivation):
        raise ConfigError(f"{place}: only a Derivation is made of other families' columns")


def _in_order(families: Mapping[str, Family]) -> Iterator[str]:
    maker = {column: name for name, family in families.items() for column in family.makes}
    order: TopologicalSorter[str] = TopologicalSorter()
    for name, family in families.items():
        order.add(name)
        for column in (*family.needs, *family.may_use):
            if column not in maker:
                raise ConfigError(
                    f"the profile family {name!r} needs {column!r}, which no family adds"
                )
            order.add(name, maker[column])
    try:
        yield from order.static_order()
    except CycleError as error:
        ring = " → ".join(error.args[1])
        raise ConfigError(f"profile families need one another in a ring: {ring}") from error


FAMILIES = Families()
