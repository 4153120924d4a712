"""Whose row a row is: files of one system are several sources, each with a name of its own.

A pause in ``pauses.csv`` and the subscription in ``subscriptions.csv`` are of one system, and
their sources are called differently. So an id means the row of its own source where there is
one, else that of the only source that has it. Where several have it, nobody can know.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir


def with_home(rows: ir.Table, owners: ir.Table, key: str) -> ir.Table:
    """Add ``home`` to rows: the source of the row of ``owners`` that their ``key`` means."""
    held = owners.group_by(held_key=owners[key]).agg(
        only=owners.source.min(), last=owners.source.max()
    )
    joined = rows.left_join(held, rows[key] == held.held_key)
    is_one = joined["only"] == joined["last"]
    home = ibis.ifelse(ibis.coalesce(is_one, False), joined["only"], joined.source)
    return joined.mutate(home=home).drop("held_key", "only", "last")


def at_home(rows: ir.Table, owners: ir.Table, key: str) -> ir.Table:
    """Return rows with their home for their source."""
    return with_home(rows, owners, key).drop("source").rename(source="home")
