"""The profile: who each customer is on a given day, as one expression.

``tallies`` hold what accumulated; here everything that depends on the date is added, the
same way for one date or for many, so a replay asks what a live run would have asked.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import ibis.expr.types as ir

from rekindle.config import LifecycleSettings
from rekindle.facts import Facts, name_query
from rekindle.profiles.blanks import build_blanks
from rekindle.profiles.discovery import FAMILIES
from rekindle.profiles.model import Derivation, Family
from rekindle.profiles.tallies import build_tallies, local_day


def build_profiles(
    facts: Facts,
    as_of: datetime,
    settings: LifecycleSettings,
    *,
    columns: Collection[str] | None = None,
) -> ir.Table:
    """Return one row a customer with every column of every family, as of an instant.

    Only facts strictly before ``as_of`` count. With ``columns``, only these are built.
    Nothing is executed.
    """
    wanted = FAMILIES.names if columns is None else tuple(columns)

    def build() -> ir.Table:
        tallies = build_tallies(facts, as_of, columns=FAMILIES.behind(wanted))
        return build_profiles_from(tallies, settings, columns=wanted).select(*wanted)

    what = ("profiles", wanted, tuple(FAMILIES.values()), settings.model_dump_json())
    return name_query(what, facts, build, instants=(as_of, local_day(as_of, facts.zone)))


def build_profiles_from(
    tallies: ir.Table, settings: LifecycleSettings, *, columns: Collection[str] | None = None
) -> ir.Table:
    """Return tallies (with ``as_of`` and ``as_of_on``) with the profile's columns added.

    ``columns`` says which are needed, all by default; what only the others need is neither
    computed nor carried along. Columns beside the tallies stay. Rows of a timeline get
    what is kept in spells by ``join_spells`` before.
    """
    wanted = FAMILIES.names if columns is None else columns
    needed = FAMILIES.behind(wanted)
    known = {"customer_id", *FAMILIES.maker}
    table = tallies.drop(*(n for n in tallies.columns if n in known and n not in needed))
    for family in FAMILIES.values():
        if isinstance(family.how, Derivation) and not needed.isdisjoint(family.makes):
            table = family.how.build(_with_needs(table, family), settings)
    lacking = (c for c in FAMILIES.columns if c.name in wanted and c.name not in table.columns)
    blanks = build_blanks(lacking)
    return table.mutate(**blanks) if blanks else table


def _with_needs(table: ir.Table, family: Family) -> ir.Table:
    """Return ``table`` with blanks for what the family needs and nobody could compute."""
    lacking = [FAMILIES.by_column[n] for n in family.needs if n not in table.columns]
    return table.mutate(**build_blanks(lacking)) if lacking else table
