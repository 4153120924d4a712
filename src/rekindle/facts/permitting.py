"""Keeps every statement on permission that the files of a source make.

A card shows what a file says now; a permission follows from all that was ever said. So
statements are appended with their own time, and read whichever file came last. What is
the same as before is no new statement: an hourly export states nothing by being repeated.

Where a date is missing, doubt is for the no: it counts from the import that first read
it, the latest it may have been said; a yes counts from the earliest, before everything
dated, or just after the source's own no that it replaces.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import duckdb

from rekindle.facts.checks import CLOCKS_DIFFER_BY, EARLIEST, LATEST, given_name, unfit
from rekindle.facts.contracts import CUSTOMERS, PERMISSIONS, Contract
from rekindle.facts.lake import Change, create_view
from rekindle.facts.sql import literal, quoted
from rekindle.facts.upserting import append_rows

LONGEST_WORD = 100
EPOCH = "timestamptz '1970-01-01 00:00:00+00'"

# A dated statement is new if it was never read. One without a date is new if its file, or
# for a new file its source, said something else last.
FRESH = """
    with told as (select distinct customer_id, channel, said, file from stated
                  where said_at is null),
    undated as (select * from held_statements where said_at is null),
    by_file as (select * from undated qualify
                imported_at = max(imported_at) over (partition by customer_id, channel, file)),
    by_source as (select * from undated qualify
                  imported_at = max(imported_at) over (partition by customer_id, channel))
    select customer_id, channel, said, null::timestamptz as said_at, file,
        bool_or(said <> 'yes') over (partition by customer_id, channel) as is_disputed
    from told t
    qualify not exists (from by_file b where b.customer_id = t.customer_id
                        and b.channel = t.channel and b.file = t.file and b.said = t.said)
      and (exists (from by_file b where b.customer_id = t.customer_id
                   and b.channel = t.channel and b.file = t.file)
           or not exists (from by_source b where b.customer_id = t.customer_id
                          and b.channel = t.channel and b.said = t.said))
    union all
    select customer_id, channel, said, said_at, min(file) as file, false as is_disputed
    from stated s where said_at is not null and not exists (
        from held_statements h where h.customer_id = s.customer_id and h.channel = s.channel
        and h.said = s.said and h.said_at = s.said_at)
    group by customer_id, channel, said, said_at"""

# What stands against a yes without a date: a dated no, or the source's own of an import.
REFUSED = """
    select customer_id, channel, bool_or(said_at is not null) as is_dated,
        max(imported_at) filter (where said_at is null and source = {source}) as refused_at
    from permissions where said <> 'yes' group by all"""


class Statements:
    """The statements of one source, from file to file, until they are appended."""

    def __init__(self, con: duckdb.DuckDBPyConnection, *, now: datetime) -> None:
        self._con = con
        self._now = f"timestamptz {literal(now.isoformat())}"
        self._latest = f"timestamptz {literal((now + CLOCKS_DIFFER_BY).isoformat())}"

    def begin(self) -> None:
        """Forget what an earlier source said."""
        self._con.execute(
            "create or replace temp table stated (line bigint, customer_id varchar, "
            "channel varchar, said varchar, said_at timestamptz, file varchar)"
        )

    def read(self, contract: Contract, given: Collection[str]) -> bool:
        """Note what the rows of ``checked`` say, also the bad ones; return whether any can."""
        if contract is not CUSTOMERS or "email_consent" not in given:
            return False
        word, at = quoted(given_name("email_consent")), "email_consent_at"
        # A yes of a far day is a slip of the pen; what is left of it is a yes without a date.
        self._con.execute(
            f"""
            create or replace temp table saying as
            select line, customer_id, 'email' as channel,
                case when email_consent then 'yes' when not email_consent then 'no'
                    when {unfit(word)} then '?' else left(lower({word}), {LONGEST_WORD})
                    end as said,
                case when {at} between {EARLIEST} and {LATEST}
                    and not (coalesce(email_consent, false) and {at} > {self._latest})
                    then {at} end as said_at
            from checked where customer_id is not null and {word} is not null
                and not {unfit("customer_id")}"""
        )
        return True

    def keep(self, file: str) -> None:
        """Take what ``read`` noted, but for the yes of a row that was refused since."""
        self._con.execute(
            f"insert into stated select *, {literal(file)} from saying "
            "where said <> 'yes' or line in (select line from checked)"
        )

    def append(self, change: Change, source: str) -> None:
        """Append the statements that are new to what the lake holds."""
        con, own = self._con, literal(source)
        if not con.execute("select 1 from stated limit 1").fetchall():
            return
        create_view(con, change, PERMISSIONS)
        con.execute(
            "create or replace temp table held_statements as "
            f"select * from permissions where source = {own}"
        )
        names = ", ".join(quoted(column.name) for column in PERMISSIONS.columns)
        append_rows(
            con,
            change,
            PERMISSIONS,
            f"""
            select {names} from (
                select {own} as source, f.*, {self._now} as imported_at, case
                    when f.said_at is not null then least(f.said_at, {self._now})
                    when f.said <> 'yes' then {self._now}
                    when r.is_dated or f.is_disputed then {EPOCH}
                    else coalesce(r.refused_at + interval 1 microsecond, {EPOCH})
                end as counts_at
                from ({FRESH}) f left join ({REFUSED.format(source=own)}) r
                    using (customer_id, channel))""",
        )
