"""Keeps what points at people, and works out from it who is one person.

Handles are only ever added, so the evidence of an import is the same in whatever order
files came. Where a ledger is in charge of persons it asks here for the evidence; without
one, the import that saw it writes the persons beside it, in one change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa

from rekindle.facts.contracts import CUSTOMERS, HANDLES, IDENTITIES
from rekindle.facts.lake import Change, Lake, create_view, shaped
from rekindle.identity import (
    Evidence,
    Handle,
    HandleKind,
    Name,
    SharedHandle,
    apply_change,
    decide_change,
    find_groups,
    is_nobody,
    normalise_address,
    normalise_phone,
)

EARLY, LATE = datetime(1970, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
FEW = 3
OTHER_IDS = (
    "select source, given_id, customer_id from customers where given_id is not null "
    "and given_id <> customer_id order by all"
)
# The spellings that ``normalise_address`` and ``normalise_phone`` leave as they are but for
# case and signs in between; a test holds these equal. All others go through Python.
PLAIN_ADDRESS = "regexp_full_match(email, '[!-~]+') and not contains(lower(email), 'xn--')"
BARE_PHONE = r"regexp_replace(phone, '[\s()./\x{2010}-\x{2015}-]+', '', 'g')"
PLAIN_PHONE = (
    rf"not contains(phone, '(0)') and regexp_full_match({BARE_PHONE}, '\+[1-9]\d{{7,14}}')"
)


@dataclass(frozen=True, slots=True)
class Testimony:
    """The evidence a lake holds, and when it first saw each id that takes part.

    ``other_ids`` are ids that go by another at one source only: (source, id there, id here).
    """

    evidence: Evidence
    first_seen: Mapping[str, datetime]
    other_ids: Sequence[tuple[str, str, str]]

    def rank(self, id_: str) -> tuple[object, ...]:
        """Return the place of an id among others: the one seen first comes first."""
        return self.first_seen.get(id_, LATE), id_


def load_testimony(lake: Lake) -> Testimony:
    """Return what the lake knows of who is who. Empty before any import.

    Raises:
        LakeError: the lake cannot be read.
    """
    snapshot = lake.snapshot()
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        for contract in (CUSTOMERS, HANDLES):
            create_view(con, snapshot, contract)
        if "handles" not in snapshot.versions:  # written by an earlier release
            con.execute("create table touched as select customer_id from customers")
            con.execute("create table found as " + _build_handles(con, EARLY))
            con.execute("create or replace view handles as select * from found")
        return _testimony(con)


def load_other_ids(lake: Lake) -> list[tuple[str, str, str]]:
    """Return the ids that go by another at one source only: (source, id there, id here).

    Raises:
        LakeError: the lake cannot be read.
    """
    with duckdb.connect() as con:
        create_view(con, lake.snapshot(), CUSTOMERS)
        return con.execute(OTHER_IDS).fetchall()


def write_handles(con: duckdb.DuckDBPyConnection, change: Change, *, now: datetime) -> None:
    """Add the handles of the cards whose ids are in ``touched``; of all if there are none."""
    create_view(con, change, CUSTOMERS)
    create_view(con, change, HANDLES)
    if HANDLES.table not in change.versions:
        con.execute("create or replace temp table touched as select customer_id from customers")
    # Later than all before, whatever the clock says: who was there first keeps their id.
    (newest,) = con.execute("select max(first_seen_at) from handles").fetchall()[0]
    at = now if newest is None else max(now, newest + timedelta(microseconds=1))
    rows = con.execute(
        f"select * from ({_build_handles(con, at)}) anti join handles "
        "using (customer_id, kind, value)"
    ).to_arrow_table()
    if rows.num_rows or HANDLES.table not in change.versions:
        change.append(HANDLES.table, shaped(rows, HANDLES).to_reader())
        create_view(con, change, HANDLES)


def write_identities(con: duckdb.DuckDBPyConnection, change: Change) -> Sequence[SharedHandle]:
    """Bring the persons of a lake without a ledger up to its evidence.

    Returns the handles that are of too many people to join any.
    """
    create_view(con, change, IDENTITIES)
    known = dict(
        con.execute("select customer_id, person_id from identities where source is null").fetchall()
    )
    said = _testimony(con)
    decided = decide_change(find_groups(said.evidence), known, rank=said.rank)
    persons = apply_change(known, decided)
    rows: list[tuple[str | None, str, str]] = []
    rows += [(None, id_, person) for id_, person in sorted(persons.items())]
    rows += [(s, there, persons.get(here, here)) for s, there, here in said.other_ids]
    before = con.execute("select source, customer_id, person_id from identities").fetchall()
    if IDENTITIES.table not in change.versions or sorted(map(str, before)) != sorted(
        map(str, rows)
    ):
        columns = zip(*rows, strict=True) if rows else ((), (), ())
        names = IDENTITIES.schema.names
        table = pa.table({n: pa.array(c, pa.string()) for n, c in zip(names, columns, strict=True)})
        change.overwrite(IDENTITIES.table, shaped(table, IDENTITIES))
    return decided.shared


def tell_shared(shared: Sequence[SharedHandle]) -> list[str]:
    """Return what to say of handles that are of too many people, the most used first."""
    told = sorted(shared, key=lambda one: -one.people)
    lines = [
        f"{one.handle.value} ({one.handle.kind.value}) is of {one.people:,} people: a shared "
        "one, which joins nobody"
        for one in told[:FEW]
    ]
    if len(told) > FEW:
        lines.append(f"{len(told) - FEW:,} more addresses or numbers are shared, and join nobody")
    return lines


def _build_handles(con: duckdb.DuckDBPyConnection, at: datetime) -> str:
    """Return SQL for the handles of the cards in ``touched``, in their normal spelling."""
    con.execute(
        "create or replace temp table cards as select customer_id, source, email, phone, country, "
        "loyalty_id, coalesce(email_verified, true) as is_verified "
        "from customers semi join touched using (customer_id)"
    )
    odd = con.execute(
        f"select distinct email from cards where email is not null and not ({PLAIN_ADDRESS})"
    ).fetchall()
    con.register("odd_addresses", _table((one, normalise_address(*one)) for one in odd))
    odd = con.execute(
        f"select distinct phone, country from cards where phone is not null and not ({PLAIN_PHONE})"
    ).fetchall()
    con.register("odd_phones", _table((pair, normalise_phone(*pair)) for pair in odd))
    return f"""
        select customer_id, kind, value, source,
            timestamptz '{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00' as first_seen_at
        from (
            select customer_id, source, 'email' as kind,
                case when {PLAIN_ADDRESS} then rtrim(lower(email), '.') else o.value end as value
            from cards left join odd_addresses o on o.a = email where is_verified
            union all by name
            select customer_id, source, 'phone' as kind,
                case when {PLAIN_PHONE} then {BARE_PHONE} else o.value end as value
            from cards left join odd_phones o on o.a = phone and o.b is not distinct from country
            union all by name
            select customer_id, source, 'loyalty' as kind, lower(loyalty_id) as value from cards)
        where value <> ''"""


def _table(rows: Iterable[tuple[tuple[str | None, ...], str]]) -> pa.Table:
    found = list(rows)
    return pa.table(
        {
            "a": pa.array([given[0] for given, _ in found], pa.string()),
            "b": pa.array([given[-1] for given, _ in found], pa.string()),
            "value": pa.array([value for _, value in found], pa.string()),
        }
    )


def _testimony(con: duckdb.DuckDBPyConnection) -> Testimony:
    shared = con.execute(
        "select kind, value, list(distinct customer_id) from handles "
        "group by kind, value having count(distinct customer_id) > 1"
    ).fetchall()
    claims = {}
    for kind, value, ids in shared:
        handle = Handle(HandleKind(kind), value)
        if not is_nobody(handle):
            claims[handle] = ids
    ids = sorted({id_ for found in claims.values() for id_ in found})
    con.register("wanted", pa.table({"customer_id": pa.array(ids, pa.string())}))
    names = con.execute(
        "select customer_id, coalesce(first_name, ''), coalesce(last_name, '') "
        "from customers semi join wanted using (customer_id)"
    ).fetchall()
    seen = con.execute(
        "select customer_id, min(first_seen_at) from handles "
        "semi join wanted using (customer_id) group by customer_id"
    ).fetchall()
    other = con.execute(OTHER_IDS).fetchall()
    return Testimony(
        Evidence(claims, {id_: Name(first, last) for id_, first, last in names}),
        dict(seen),
        other,
    )
