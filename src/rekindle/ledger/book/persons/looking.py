"""Looks up whom an id stands for, so that it stays so until what is written is committed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from rekindle.ledger.queries import fetch, ledger_transaction, rows_of


def find_persons(alias: str, ids: Iterable[str]) -> dict[str, str]:
    """Return the person each of these ids goes by, itself where it is one."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    found: dict[str, str] = dict(fetch(alias, "persons_of", rows_of((id_,) for id_ in wanted)))
    return {id_: found.get(id_, id_) for id_ in wanted}


@contextmanager
def settled(alias: str, ids: Iterable[str]) -> Iterator[Mapping[str, str]]:
    """Yield the person each id goes by, in a transaction during which that stays so.

    The lock is taken before any other, as a join takes it: a transaction that holds rows
    and asks for it then could wait in a circle.
    """
    with ledger_transaction(alias):
        fetch(alias, "share_persons")
        yield find_persons(alias, ids)
