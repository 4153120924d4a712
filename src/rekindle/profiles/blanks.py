"""Blanks: what a column is for somebody its family has no data about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ibis
import ibis.expr.types as ir

from rekindle.profiles.model import DTYPES, ProfileColumn


def build_blanks(columns: Iterable[ProfileColumn]) -> Mapping[str, ir.Value]:
    """Return the blank of each column, in the column's type."""
    return {c.name: build_blank(c, DTYPES[c.type]) for c in columns}


def build_blank(column: ProfileColumn | None, dtype: object) -> ir.Value:
    """Return the blank of one column, in the type a table has it in; an inner one has none."""
    if column is None or column.blank is None:
        return ibis.null().cast(dtype)
    return ibis.literal(column.blank).cast(dtype)


def with_blanks(table: ir.Table, columns: Iterable[ProfileColumn]) -> ir.Table:
    """Return ``table`` with NULL replaced by the blank where a column has one."""
    filled = {
        c.name: ibis.coalesce(table[c.name], ibis.literal(c.blank, table[c.name].type()))
        for c in columns
        if c.blank is not None
    }
    return table.mutate(**filled) if filled else table
