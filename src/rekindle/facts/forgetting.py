"""Takes people out of what machines reported of them, where it is on record nowhere else.

A card that a file brings has to be removed from the file. One that was only reported came
through the ledger, which has forgotten it, and stands in the lake alone.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb
import pyarrow as pa

from rekindle.facts.contracts import CUSTOMERS, HANDLES, Contract
from rekindle.facts.lake import Change, Lake, create_view
from rekindle.facts.sql import literal

TABLES = (CUSTOMERS, HANDLES)
LISTED = 500


def forget_reported(lake: Lake, sources: Collection[str], people: Collection[str]) -> int:
    """Remove the cards that these sources gave of these people; return how many rows.

    Ids are the sources' own. What the lake held before stays in its old versions for as
    long as those are kept (``facts.keep``).

    Raises:
        BusyError: an import is running.
        LakeError: the lake cannot be read or written.
    """
    if not sources or not people or not any(_find(lake, one, sources, people) for one in TABLES):
        return 0
    removed = 0
    with lake.change() as change:
        for contract in TABLES:
            found = _find(change, contract, sources, people)
            removed += len(found)
            for start in range(0, len(found), LISTED):
                ids = ", ".join(literal(one) for one in found[start : start + LISTED])
                names = ", ".join(literal(one) for one in sorted(sources))
                change.delete(contract.table, f"source in ({names}) and customer_id in ({ids})")
    return removed


def _find(
    lake: Lake | Change, contract: Contract, sources: Collection[str], people: Collection[str]
) -> list[str]:
    with duckdb.connect() as con:
        create_view(con, lake, contract)
        con.register("wanted", pa.table({"customer_id": pa.array(sorted(people), pa.string())}))
        con.register("told", pa.table({"source": pa.array(sorted(sources), pa.string())}))
        rows = con.execute(
            f"select distinct customer_id from {contract.table} semi join wanted using "
            "(customer_id) semi join told using (source) order by 1"
        ).fetchall()
    return [one for (one,) in rows]
