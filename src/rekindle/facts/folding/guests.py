"""Lets what guests ordered be of whoever has their e-mail address.

A shop gives no number to who orders without an account, and asks them for an address all the
same. Whose that is, identity finds out, as of any other id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import duckdb

from rekindle.identity import Handle, HandleKind, is_nobody
from rekindle.wording import counted

MOST = 100
"""What more orders without a number have is an address of the shop's own, as tills give one."""


def name_guests(con: duckdb.DuckDBPyConnection, given: Collection[str]) -> Iterator[str]:
    """Give the orders in ``checked`` that name no customer their address; yield what to say."""
    nobodys = "select 1 from checked where customer_id is null limit 1"
    if "email" not in given or not con.execute(nobodys).fetchall():
        return
    con.execute(
        """
        create or replace temp table guests as
        select order_id, min(lower(trim(email))) as who from checked where order_id is not null
        group by order_id having max(customer_id) is null and contains(who, '@')
            and count(distinct lower(trim(email))) = 1"""
    )
    found = con.execute("select who, count(*) from guests group by who").fetchall()
    shared = [
        (who,) for who, count in found if count > MOST or is_nobody(Handle(HandleKind.EMAIL, who))
    ]
    con.execute("create or replace temp table shared (who varchar)")
    if shared:
        con.executemany("insert into shared values (?)", shared)
    ((own, others),) = con.execute(
        "select count(*) filter (where who not in (from shared)), "
        "count(*) filter (where who in (from shared)) from guests"
    ).fetchall()
    if own:
        con.execute(
            "update checked set customer_id = g.who from guests g "
            "where g.order_id = checked.order_id and g.who not in (from shared)"
        )
        yield f"{counted(own, 'order')} without a customer number: taken by the e-mail address"
    if others:
        yield (
            f"{counted(others, 'order')} without a customer number: nobody's, as their address is "
            f"a stand-in or has more than {MOST}"
        )
