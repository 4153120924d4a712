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
from rekindle.facts.folding import build_opted_out
from rekindle.facts.lake import Change, create_view
from rekindle.facts.sql import literal, quoted
from rekindle.facts.upserting import append_rows

LONGEST_WORD = 100
SAYING = frozenset({"email_consent", "email_opt_out", "email_opt_out_at"})
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
        if contract is not CUSTOMERS or not SAYING & set(given):
            return False
        self._con.execute(
            "create or replace temp table saying (line bigint, customer_id varchar, "
            "channel varchar, said varchar, said_at timestamptz)"
        )
        if "email_consent" in given:
            self._read_consent()
        if {"email_opt_out", "email_opt_out_at"} & set(given):
            self._read_opt_outs("email_opt_out_at" in given)
        return True

    def _read_consent(self) -> None:
        word, at = quoted(given_name("email_consent")), "email_consent_at"
        # A yes of a far day is a slip of the pen; what is left of it is a yes without a date.
        self._note(
            f"""case when email_consent then 'yes' when not email_consent then 'no'
                    when {unfit(word)} then '?' else left(lower({word}), {LONGEST_WORD})
                    end""",
            f"""case when {at} between {EARLIEST} and {LATEST}
                    and not (coalesce(email_consent, false) and {at} > {self._latest})
                    then {at} end""",
            f"{word} is not null",
        )

    def _read_opt_outs(self, has_dates: bool) -> None:
        """Note a no for every word that is none itself, and for a date beside no word."""
        at = "email_opt_out_at"
        dated = quoted(given_name(at)) if has_dates else "null"
        self._note(
            "'no'",
            f"case when {at} between {EARLIEST} and {LATEST} then {at} end",
            f"{build_opted_out(dated)}",
        )

    def _note(self, said: str, said_at: str, condition: str) -> None:
        self._con.execute(
            f"""
            insert into saying select line, customer_id, 'email', {said}, {said_at}
            from checked where customer_id is not null and {condition}
                and not {unfit("customer_id")}"""
        )

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
