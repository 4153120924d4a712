"""Keeps every statement on permission that the files of a source make.

A card shows what a file says now; a permission follows from all that was ever said. So
statements are appended with their own time, and read whichever file came last. What is
the same as before is no new statement: an hourly export states nothing by being repeated.

A yes that its file makes no more was misread, if all that the file says now is older (a day
the wrong way round), or is read from another column: it counts no more. That somebody says no
later takes nothing back, and what a file leaves blank says nothing.

Where a date is missing, doubt is for the no: it counts from the import that first read
it, the latest it may have been said; a yes counts from the earliest, before everything
dated, or just after the source's own no that it replaces.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from rekindle.config import known_channels
from rekindle.facts.casting import Rules, build_value
from rekindle.facts.checks import (
    CLOCKS_DIFFER_BY,
    EARLIEST,
    LATEST,
    LONGEST_ID,
    given_name,
    unfit,
)
from rekindle.facts.contracts import CONTRACTS, CUSTOMERS, EVENTS, PERMISSIONS, UNSAID
from rekindle.facts.folding import build_opted_out, build_surely_left
from rekindle.facts.lake import Change, create_view
from rekindle.facts.purchases.overriding import is_reported
from rekindle.facts.sources import LINE, Raw
from rekindle.facts.sources.headers import DELIMITERS
from rekindle.facts.sql import literal, quoted
from rekindle.facts.upserting import append_rows, replace_rows
from rekindle.vocabulary import COMPLAINED, LEFT
from rekindle.wording import counted, event_name

LONGEST_WORD = 100
# The channels on which a card may say something, each by columns of its name.
CHANNELS = ("email", "sms")
EPOCH = "timestamptz '1970-01-01 00:00:00+00'"

# A dated statement is new if it was never read. One without a date is new if its file, or
# for a new file its source, said something else last.
FRESH = """
    with told as (select distinct customer_id, channel, said, file, head from stated
                  where said_at is null),
    undated as (select * from held_statements where said_at is null),
    by_file as (select * from undated qualify
                imported_at = max(imported_at) over (partition by customer_id, channel, file)),
    by_source as (select * from undated qualify
                  imported_at = max(imported_at) over (partition by customer_id, channel))
    select customer_id, channel, said, null::timestamptz as said_at, file, head,
        bool_or(said <> 'yes') over (partition by customer_id, channel) as is_disputed
    from told t
    qualify not exists (from by_file b where b.customer_id = t.customer_id
                        and b.channel = t.channel and b.file = t.file and b.said = t.said)
      and (exists (from by_file b where b.customer_id = t.customer_id
                   and b.channel = t.channel and b.file = t.file)
           or not exists (from by_source b where b.customer_id = t.customer_id
                          and b.channel = t.channel and b.said = t.said))
    union all
    select customer_id, channel, said, said_at, min(file) as file, any_value(head) as head,
        false as is_disputed
    from stated s where said_at is not null and not exists (
        from held_statements h where h.customer_id = s.customer_id and h.channel = s.channel
        and h.said = s.said and h.said_at = s.said_at)
    group by customer_id, channel, said, said_at"""

# Each yes of the source that is not said now, mostly because its file is another one; and what
# was marked as said no more.
NOT_SAID = """
    select h.* from permissions h where h.source = {source} and h.said in ('yes', '{unsaid}')
        and (h.said = 'yes') <> exists (from stated s where s.customer_id = h.customer_id
            and s.channel = h.channel and s.said = 'yes'
            and s.said_at is not distinct from h.said_at)"""

# Of these what its own file contradicts: all that it says now is older, as where a day was the
# wrong way round; or it reads another column.
MISREAD = """
    select h.* from not_said h where h.said = 'yes'
        and (h.said_at > (select max(coalesce(s.said_at, 'infinity')) from stated s
                where s.customer_id = h.customer_id and s.channel = h.channel
                and s.file = h.file)
            or exists (from heads n where n.file = h.file and n.channel = h.channel
                and n.head <> h.head))"""

# What stands against a yes without a date: a dated no, or the source's own of an import.
REFUSED = """
    select customer_id, channel, bool_or(said_at is not null) as is_dated,
        max(imported_at) filter (where said_at is null and source = {source}) as refused_at
    from permissions where said not in ('yes', '{unsaid}') group by all"""


LOST = (
    "{}: {} without a customer number say no to marketing for addresses that nobody here has: put "
    "them into a file for `rekindle suppressions import`"
)


class Statements:
    """The statements of one source, from file to file, until they are appended."""

    def __init__(self, con: duckdb.DuckDBPyConnection, *, now: datetime) -> None:
        self._con = con
        self._now = f"timestamptz {literal(now.isoformat())}"
        self._heads: dict[str, str] = {}
        self._lost = 0
        self._are_nameless = False
        self._latest = f"timestamptz {literal((now + CLOCKS_DIFFER_BY).isoformat())}"

    def begin(self) -> None:
        """Forget what an earlier source said."""
        self._lost = 0
        self._con.execute(
            "create or replace temp table stated (line bigint, customer_id varchar, "
            "channel varchar, said varchar, said_at timestamptz, file varchar, head varchar)"
        )
        self._con.execute(
            "create or replace temp table heads (file varchar, channel varchar, head varchar)"
        )

    def read(self, change: Change, rules: Rules, chosen: Mapping[str, str]) -> bool:
        """Note what the rows of ``checked`` say, also the bad ones; return whether any can.

        ``chosen`` is the header of each column.
        """
        given, contract = frozenset(chosen), CONTRACTS[rules.source.table]
        self._are_nameless = False
        told = [channel for channel in CHANNELS if is_told(channel, given)]
        # What was reported of somebody is heard as it comes in.
        is_history = contract is EVENTS and not is_reported(rules.source)
        if not is_history and (contract is not CUSTOMERS or not told):
            return False
        self._heads.clear()
        self._con.execute(
            "create or replace temp table saying (line bigint, customer_id varchar, "
            "channel varchar, said varchar, said_at timestamptz)"
        )
        if is_history:
            self._read_events()
            return True
        self._find_nameless(change, given)
        for channel in told:
            if head := chosen.get(f"{channel}_consent"):
                self._read_consent(channel, has_opt_outs=f"{channel}_opt_out_at" in given)
                self._heads[channel] = head
            if {f"{channel}_opt_out", f"{channel}_opt_out_at"} & set(given):
                self._read_opt_outs(channel, has_dates=f"{channel}_opt_out_at" in given)
        return True

    def _read_events(self) -> None:
        """Note a no to everything for each event by which somebody left or complained."""
        names = self._con.execute(
            "select distinct event from checked where event is not null"
        ).fetchall()
        stops = [name for (name,) in names if _is_refusal(event_name(name))]
        for channel in known_channels() if stops else ():
            listed = ", ".join(map(literal, stops))
            self._note(
                channel,
                "'no'",
                f"case when occurred_at between {EARLIEST} and {LATEST} then occurred_at end",
                f"event in ({listed})",
            )

    def _read_consent(self, channel: str, *, has_opt_outs: bool) -> None:
        word, at = quoted(given_name(f"{channel}_consent")), f"{channel}_consent_at"
        if has_opt_outs:
            # Who opted out later had not said no before: the first day is of the yes that ended.
            out = f"{channel}_opt_out_at"
            is_ended = f"not {channel}_consent and {out} between {at} and {LATEST}"
            at = f"(case when {is_ended} then {out} else {at} end)"
        # A yes of a far day is a slip of the pen; what is left of it is a yes without a date.
        self._note(
            channel,
            f"""case when {channel}_consent then 'yes' when not {channel}_consent then 'no'
                    when {unfit(word)} or lower({word}) = {literal(UNSAID)} then '?'
                    else left(lower({word}), {LONGEST_WORD}) end""",
            f"""case when {at} between {EARLIEST} and {LATEST}
                    and not (coalesce({channel}_consent, false) and {at} > {self._latest})
                    then {at} end""",
            f"{word} is not null",
        )

    def _read_opt_outs(self, channel: str, *, has_dates: bool) -> None:
        """Note a no for every word that is none itself, and for a date beside no word."""
        at = f"{channel}_opt_out_at"
        dated = quoted(given_name(at)) if has_dates else "null"
        self._note(
            channel,
            "'no'",
            f"case when {at} between {EARLIEST} and {LATEST} then {at} end",
            build_opted_out(dated, channel=channel),
        )

    def _note(self, channel: str, said: str, said_at: str, condition: str) -> None:
        self._con.execute(
            f"""
            insert into saying select line, customer_id, {literal(channel)}, {said}, {said_at}
            from checked where customer_id is not null and {condition}
                and not {unfit("customer_id")}"""
        )
        if self._are_nameless:
            self._con.execute(
                f"""
                insert into saying select * from (
                    select line, customer_id, {literal(channel)}, {said} as said, {said_at}
                    from nameless where {condition})
                where said <> 'yes'"""
            )

    def _find_nameless(self, change: Change, given: Collection[str]) -> None:
        """Note the rows without an id, once for each person whose address they hold.

        Their no is of these people, and their yes is nobody's. Nobody may have the address.
        """
        con = self._con
        nameless = "select * exclude (customer_id) from checked where customer_id is null"
        self._are_nameless = bool(con.execute(f"{nameless} limit 1").fetchall())
        if self._are_nameless:
            create_view(con, change, CUSTOMERS)
            con.execute(
                f"create or replace temp table nameless as select * from ({nameless}) "
                f"left join ({_build_said_by(given)}) using (line)"
            )

    def keep(self, file: str) -> None:
        """Take what ``read`` noted, but for the yes of a row that was refused since."""
        ((lost,),) = self._con.execute(
            "select count(distinct line) from saying where customer_id is null"
        ).fetchall()
        self._lost += int(lost)
        rows = [[file, *pair] for pair in self._heads.items()]
        if rows:
            self._con.executemany("insert into heads values (?, ?, ?)", rows)
        self._con.execute(
            f"insert into stated select s.*, {literal(file)}, case when said = 'yes' then head end "
            "from saying s left join heads n on n.channel = s.channel "
            f"and n.file = {literal(file)} "
            "where customer_id is not null "
            "and (said <> 'yes' or line in (select line from checked))"
        )

    def keep_broken(self, raw: Raw, chosen: Mapping[str, str], rules: Rules) -> None:
        """Take the no of rows that could not be split, where both it and the id can be read."""
        for channel in CHANNELS if raw.rejects else ():
            says_no = {
                f"{channel}_consent": "not may",
                f"{channel}_opt_out": build_surely_left("may"),
                f"{channel}_opt_out_at": "may is not null",
            }
            for column, is_no in says_no.items():
                names = ("customer_id", column)
                if set(names) <= set(chosen):
                    self._keep_broken(channel, names, is_no, raw, chosen, rules)

    def _keep_broken(
        self,
        channel: str,
        names: tuple[str, str],
        is_no: str,
        raw: Raw,
        chosen: Mapping[str, str],
        rules: Rules,
    ) -> None:
        read = _read_object if raw.is_json else _read_fields
        found = [
            (reject.line, *cells)
            for reject in raw.rejects
            for cells in read(reject.text, [chosen[name] for name in names], list(raw.columns))
        ]
        lines, ids, words = zip(*found, strict=True) if found else ((), (), ())
        cells = pa.table({LINE: pa.array(lines, pa.int64()), "who": pa.array(ids, pa.string()),
                          "word": pa.array(words, pa.string())})  # fmt: skip
        self._con.register("broken_cells", cells)
        broken = Raw(raw.name, "broken_cells", {"who": "VARCHAR", "word": "VARCHAR"})
        columns = {column.name: column for column in CUSTOMERS.inputs}
        who, word = (
            build_value(broken, actual, columns[name], rules)
            for name, actual in zip(names, ("who", "word"), strict=True)
        )
        self._con.execute(
            f"""
            insert into stated
            select {LINE}, id, {literal(channel)}, 'no', null, {literal(raw.name)}, null
            from (select {LINE}, {who} as id, {word} as may from broken_cells)
            where {is_no} and id is not null and not {unfit("id")} and length(id) <= {LONGEST_ID}"""
        )

    def append(self, change: Change, source: str) -> list[str]:
        """Append the statements that are new to what the lake holds; return what is to be told."""
        con, own = self._con, literal(source)
        lost = [LOST.format(source, counted(self._lost, "row"))] if self._lost else []
        if not con.execute("select 1 from stated union all select 1 from heads limit 1").fetchall():
            return lost
        create_view(con, change, PERMISSIONS)
        told = self._take_back(change, source)
        con.execute(
            "create or replace temp table held_statements as select * from permissions "
            f"where source = {own} and said <> {literal(UNSAID)}"
        )
        names = ", ".join(quoted(column.name) for column in PERMISSIONS.columns)
        refused = REFUSED.format(source=own, unsaid=UNSAID)
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
                from ({FRESH}) f left join ({refused}) r using (customer_id, channel))""",
        )
        return told + lost

    def _take_back(self, change: Change, source: str) -> list[str]:
        """Mark each yes that its file makes no more, and unmark one that it makes again."""
        con, own = self._con, literal(source)
        not_said = NOT_SAID.format(source=own, unsaid=UNSAID)
        con.execute(f"create or replace temp table not_said as {not_said}")
        con.execute(f"create or replace temp table misread as {MISREAD}")
        con.execute(
            "create or replace temp table no_more as from misread union all "
            "from not_said where said <> 'yes'"
        )
        if not con.execute("select 1 from no_more limit 1").fetchall():
            return []
        con.execute(
            "create or replace temp table unsaid as select * replace "
            f"({literal(UNSAID)} as said, {self._now} as imported_at) from misread"
        )
        replace_rows(con, change, PERMISSIONS, put="unsaid", gone="no_more")
        create_view(con, change, PERMISSIONS)
        found = con.execute(
            "select channel, count(distinct customer_id) from misread group by all order by all"
        ).fetchall()
        return [
            f"{source}: a yes to {channel} of {counted(count, 'customer')} was misread: their file "
            "says it no more, and it does not count"
            for channel, count in found
        ]


def _is_refusal(event: str) -> bool:
    """Return whether an event of a file says that somebody wants to hear no more."""
    return event == LEFT or event.endswith(f"_{COMPLAINED}")


def _build_said_by(given: Collection[str]) -> str:
    """Return SQL for the ``line`` of rows without an id, with each ``customer_id`` they are of.

    That is whoever has the address of the row, in the lake or in the file itself.
    """
    known = "k.customer_id is not null"
    found = [
        f"""
        select c.line, k.customer_id from checked c join (
            select customer_id, lower(trim({kind})) as own from customers union
            select customer_id, lower(trim({kind})) from checked) k on lower(trim(c.{kind})) = own
        where c.customer_id is null and {known} and not {unfit("k.customer_id")}"""
        for kind in ("email", "phone")
        if kind in given
    ]
    return " union ".join(found) or "select line, customer_id from checked where false"


def is_told(channel: str, given: Collection[str]) -> bool:
    """Return whether these columns of a card say something of marketing on a channel."""
    saying = {f"{channel}_consent", f"{channel}_opt_out", f"{channel}_opt_out_at"}
    return not saying.isdisjoint(given)


def _read_fields(
    text: str, wanted: Sequence[str], columns: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield what may be the wanted two cells of a line with too many fields or too few.

    Up to where it is broken a cell is counted from the left, and beyond from the right. A
    quote that is not closed takes in the lines below, so each is read for itself too.
    """
    mark = max(DELIMITERS, key=text.count)
    for line in dict.fromkeys((text, *text.splitlines())):
        try:
            fields = next(csv.reader([line], delimiter=mark), [])
        except csv.Error:
            fields = []
        for cells in (fields, line.replace('"', "").split(mark)):
            yield from _aligned(cells, [columns.index(name) for name in wanted], len(columns))


def _aligned(cells: Sequence[str], places: Sequence[int], whole: int) -> Iterator[tuple[str, str]]:
    shift = len(cells) - whole
    who, word = places
    ways = {(0, 0), (0, shift) if who < word else (shift, 0)}
    if 0 not in places:  # a line is not broken before its first cell
        ways.add((shift, shift))
    for by_who, by_word in sorted(ways):
        found = (who + by_who, word + by_word)
        if all(0 <= place < len(cells) for place in found):
            yield cells[found[0]], cells[found[1]]


def _read_object(
    text: str, wanted: Sequence[str], columns: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield the wanted two values of a text that is no object, where they stand by name."""
    found = []
    for name in wanted:
        key = re.escape(name.rsplit(".", maxsplit=1)[-1])
        pattern = rf"""["']{key}["']\s*:\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([\w.+-]+))"""
        if (match := re.search(pattern, text)) is None:
            return
        found.append(next(part for part in match.groups() if part is not None))
    who, word = (_unescaped(part) for part in found)
    yield who, word


def _unescaped(part: str) -> str:
    try:
        return str(json.loads(f'"{part}"'))
    except ValueError:
        return part
