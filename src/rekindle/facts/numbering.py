"""Numbers imports, and writes on each order by which of them it became what it is.

A date can be corrected, and a clock be wrong; that an order stood in one version of the
facts and not in the one before cannot. So what somebody was let into a journey by is told
apart from what came in since by these numbers, not by dates.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import duckdb

from rekindle.facts.contracts import ORDERS
from rekindle.facts.lake import Change, create_view

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SAME_BUYER = "t.customer_id is not distinct from f.customer_id"


def next_number(con: duckdb.DuckDBPyConnection, change: Change, *, now: datetime) -> int:
    """Return the number of an import that begins ``now``: above all before it.

    It is the time in microseconds where clocks go right, so that a lake that is made anew
    goes on above the one it replaces.
    """
    create_view(con, change, ORDERS)
    ((newest,),) = con.execute("select coalesce(max(changed_in), 0) from orders").fetchall()
    return max(int(newest) + 1, (now - EPOCH) // timedelta(microseconds=1))


def build_stamps(number: int) -> Mapping[str, str]:
    """Return the SQL of the numbers that an order gets which import ``number`` writes.

    ``t`` is the order as it was held. One from before numbers were kept is as old as can be.
    """
    held = "case when t.kind = 'purchase' then coalesce(t.known_in, 0) else t.known_in end"
    was_none = f"t.order_id is not null and t.kind <> 'purchase' and {SAME_BUYER}"
    return {
        "known_in": f"case when {SAME_BUYER} and ({held}) is not null then {held} "
        f"when f.kind = 'purchase' then {number} end",
        "sold_in": f"case when f.kind = 'purchase' and {was_none} and t.known_in is null "
        f"then {number} else t.sold_in end",
        "moved_in": f"case when t.ordered_at <> f.ordered_at then {number} else t.moved_in end",
        "changed_in": str(number),
    }
