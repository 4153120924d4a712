"""Keeps what points at people, and works out from it who is one person.

Handles are only ever added, so the evidence of an import is the same in whatever order
files came. Where a ledger is in charge of persons it asks here for the evidence; without
one, the import that saw it writes the persons beside it, in one change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa

from rekindle.facts.contracts import CUSTOMERS, HANDLES, IDENTITIES
from rekindle.facts.lake import Change, Lake, create_view, shaped
from rekindle.identity import (
    MOST_PEOPLE,
    Evidence,
    Handle,
    HandleKind,
    Name,
    SharedHandle,
    apply_change,
    decide_change,
    find_groups,
    initial_of,
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


CLAIMS = """
    create or replace temp table claims as
    select kind, value, customer_id, coalesce(k.person_id, customer_id) as person,
        coalesce(c.first_name, '') as first_name
    from (select distinct kind, value, customer_id from handles)
    semi join (
        select kind, value from handles group by all having count(distinct customer_id) > 1
    ) using (kind, value)
    left join known_persons k using (customer_id)
    left join customers c using (customer_id)"""
DOUBTED_HANDLES = f"""
    select kind, value, list(distinct person)
    from (select c.*, l.value as letter from claims c left join letters l on first_name = a)
    group by kind, value
    having count(distinct person) > 1 or count(distinct customer_id) > {MOST_PEOPLE}
        or count(distinct nullif(letter, '')) > 1"""
DOUBTED_PERSONS = """
    select person from claims join letters on first_name = a
    where letters.value <> '' group by person having count(distinct letters.value) > 1"""


@dataclass(frozen=True, slots=True)
class Testimony:
    """The evidence a lake holds, and when it first saw each id that takes part.

    ``other_ids`` are ids that go by another at one source only: (source, id there, id here).
    ``persons`` are whom it is about; None is everybody.
    """

    evidence: Evidence
    first_seen: Mapping[str, datetime]
    other_ids: Sequence[tuple[str, str, str]]
    persons: Collection[str] | None = None

    def rank(self, id_: str) -> tuple[object, ...]:
        """Return the place of an id among others: the one seen first comes first."""
        return self.first_seen.get(id_, LATE), id_


def load_testimony(
    lake: Lake, told: Evidence, known: Mapping[str, str], *, is_settled: bool
) -> Testimony:
    """Return what the lake knows of who is who, beside what was told. Empty before any import.

    ``known`` says which person an id goes by, where that is another. If it ``is_settled``,
    by what the lake knew before, only those are asked about whom something contradicts.

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
        persons = find_unsettled(con, told, known) if is_settled else None
        said = _testimony(con, persons)
    evidence = Evidence(said.evidence.claims, said.evidence.names, told.together, told.apart)
    if persons is not None:
        evidence = replace(
            evidence,
            together={
                p: why for p, why in told.together.items() if known.get(p[0], p[0]) in persons
            },
            apart=[pair for pair in told.apart if known.get(pair[0], pair[0]) in persons],
        )
    return replace(said, evidence=evidence, persons=persons)


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
    decided = decide_change(find_groups(said.evidence, rank=said.rank), known, rank=said.rank)
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


def find_unsettled(
    con: duckdb.DuckDBPyConnection, told: Evidence, known: Mapping[str, str]
) -> set[str]:
    """Return the persons who may not be as the rules say, though all were at some earlier time.

    Handles are only ever added. So who was one person still is, if each handle of theirs is
    of nobody else and they have one initial; and who shares no handle is nobody else yet.
    """
    columns = pa.array(known.keys(), pa.string()), pa.array(known.values(), pa.string())
    con.register("known_persons", pa.table(columns, names=["customer_id", "person_id"]))
    con.execute(CLAIMS)
    names = con.execute("select distinct first_name from claims where first_name <> ''").fetchall()
    con.register("letters", _table((one, initial_of(Name(*one))) for one in names))
    doubted = con.execute(DOUBTED_HANDLES).fetchall()
    persons = {
        person
        for kind, value, owners in doubted
        if not is_nobody(Handle(HandleKind(kind), value))
        for person in owners
    }
    persons |= {person for (person,) in con.execute(DOUBTED_PERSONS).fetchall()}
    held = {id_ for pair in told.together for id_ in pair}
    unheld = con.execute(
        "select customer_id from known_persons anti join claims using (customer_id)"
    )
    persons |= {known[id_] for (id_,) in unheld.fetchall() if id_ not in held}
    for pairs, is_one in ((told.together, True), (told.apart, False)):
        for pair in pairs:
            a, b = (known.get(id_, id_) for id_ in pair)
            if (a == b) is not is_one:
                persons |= {a, b}
    return persons


def _testimony(con: duckdb.DuckDBPyConnection, persons: Collection[str] | None = None) -> Testimony:
    """Return the evidence; with ``persons``, of the handles of these alone."""
    among = ""
    if persons is not None:
        con.register("doubted", pa.table({"person": pa.array(sorted(persons), pa.string())}))
        among = "semi join (select kind, value from claims semi join doubted using (person)) "
        among += "using (kind, value)"
    shared = con.execute(
        f"select kind, value, list(distinct customer_id) from handles {among} "
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
