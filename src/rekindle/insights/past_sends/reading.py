"""Reads what was sent before, and what its people bought and said, into arrays."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rekindle.facts import UNSAID, Facts
from rekindle.insights.audit import build_net
from rekindle.insights.past_sends.happenings import (
    DAY,
    Flags,
    Happenings,
    PurchasesThen,
    Span,
    Whole,
    Words,
    to_instant,
    to_instants,
)
from rekindle.insights.past_sends.model import WITHIN_DAYS
from rekindle.predictions import read_past_sends
from rekindle.subscriptions import build_named_starts

Run = Callable[[Any], pa.Table]

FAR_OFF = 2**52
NOBODY = -1
LONGEST = timedelta(days=20 * 366)
"""What lies further back is placed there, so that person and instant fit into 64 bits."""
MOST_ORDERS = 3_000_000
"""Of a longer history only the orders of those who were sent something are read."""


@dataclass(frozen=True)
class Sends:
    """Everything sent, or held back by lot, in the order of time.

    ``person`` is NOBODY where nobody known here goes by it; ``group`` is the place of channel
    and campaign in ``groups``.
    """

    person: Whole
    at: Whole
    group: Whole
    groups: tuple[tuple[str, str], ...]
    is_held_out: Flags
    is_opened: Flags
    is_clicked: Flags
    is_bounced: Flags


@dataclass(frozen=True)
class SentPast:
    """What was sent before ``as_of`` (in milliseconds), and what people bought and said.

    ``is_ours`` says of each person whether Rekindle itself wrote to them. ``revenue`` has the
    net amounts of orders and refunds, ``standing`` the purchases that are some still, ``sent``
    what left, and ``words`` by channel what people said of being written to. ``is_whole`` says
    whether the orders of everybody are in.
    """

    as_of: int
    sends: Sends
    is_ours: Flags
    purchases: PurchasesThen
    standing: Happenings
    revenue: Happenings
    sent: Happenings
    words: Mapping[str, Words]
    is_whole: bool


def read_past(
    facts: Facts, run: Run, as_of: datetime, contacted: Collection[str]
) -> SentPast | None:
    """Return what was sent before ``as_of``; None where nothing was."""
    rows = read_past_sends(facts, run, as_of).sort_by("sent_at")
    if not rows.num_rows:
        return None
    whole, paid, bought = _read_orders(facts, run, as_of, rows["person"])
    said = _read_words(facts, run, rows["person"])
    names = [rows["person"], paid["customer_id"], bought["customer_id"], said["customer_id"]]
    coded = _code(names)
    people = pa.array(coded.names, pa.string())
    person, payer, buyer, speaker = coded.places
    end = to_instant(as_of)
    at, bought_at = to_instants(rows["sent_at"], 0), to_instants(bought["ordered_at"], 0)
    paid_at = to_instants(paid["ordered_at"], 0)
    begin = min(int(one.min()) for one in (at, bought_at, paid_at) if len(one))
    begin = max(begin, end - LONGEST // timedelta(milliseconds=1))
    span = Span(begin, end - begin + (WITHIN_DAYS + 2) * DAY)
    sends = _as_sends(rows, person, at, as_of)
    has_left = ~sends.is_held_out & (person != NOBODY)
    ended = to_instants(bought["ended_at"], FAR_OFF)
    ended[ended >= end] = FAR_OFF
    stands = ended == FAR_OFF
    net = paid["net"].to_numpy(zero_copy_only=False).astype(np.float64)
    return SentPast(
        end,
        sends,
        pc.is_in(people, pa.array(sorted(contacted), pa.string())).to_numpy(zero_copy_only=False),
        PurchasesThen(buyer, bought_at, ended, span),
        Happenings(buyer[stands], bought_at[stands], span),
        Happenings(payer, paid_at, span, np.nan_to_num(net)),
        Happenings(person[has_left], at[has_left], span),
        _as_words(said, speaker, span),
        whole,
    )


@dataclass(frozen=True)
class _Coded:
    names: list[str]
    places: list[Whole]


def _code(columns: list[pa.ChunkedArray]) -> _Coded:
    """Return everybody named in some columns once, and their places for each column."""
    chunks = [chunk for column in columns for chunk in column.cast(pa.string()).chunks]
    together = pa.chunked_array(chunks, pa.string()).combine_chunks().dictionary_encode()
    places = pc.fill_null(together.indices, NOBODY).to_numpy(zero_copy_only=False).astype(np.int64)
    ends = np.cumsum([len(column) for column in columns])[:-1]
    return _Coded(together.dictionary.to_pylist(), list(np.split(places, ends)))


def _as_sends(rows: pa.Table, person: Whole, at: Whole, as_of: datetime) -> Sends:
    groups, group = _as_groups(rows)
    end = to_instant(as_of)
    # What was done with a message later was not known yet.
    opened, clicked = (to_instants(rows[name], FAR_OFF) < end for name in _DONE)
    flags = (
        pc.fill_null(rows[name], False).to_numpy().astype(bool)
        for name in ("is_held_out", "bounced")
    )
    is_held_out, is_bounced = flags
    return Sends(person, at, group, groups, is_held_out, opened, clicked, is_bounced)


def _as_groups(rows: pa.Table) -> tuple[tuple[tuple[str, str], ...], Whole]:
    """Return channel and campaign of every group, and the place of the group of each send."""
    channel, campaign = (
        rows[name].combine_chunks().dictionary_encode() for name in ("channel", "campaign")
    )
    channels = [one.strip().lower() for one in channel.dictionary.to_pylist()]
    names = campaign.dictionary.to_pylist()
    first, second = (one.indices.to_numpy().astype(np.int64) for one in (channel, campaign))
    pairs, places = np.unique(first * len(names) + second, return_inverse=True)
    spelt = [(channels[one // len(names)], names[one % len(names)]) for one in pairs.tolist()]
    groups = {group: place for place, group in enumerate(dict.fromkeys(spelt))}
    return tuple(groups), np.array([groups[one] for one in spelt], np.int64)[places.reshape(-1)]


_NO_WORDS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("channel", pa.string()),
        ("said", pa.string()),
        ("counts_at", pa.timestamp("us", "UTC")),
    ]
)
_DONE = ("opened_at", "clicked_at")


def _read_orders(
    facts: Facts, run: Run, as_of: datetime, persons: pa.ChunkedArray
) -> tuple[bool, pa.Table, pa.Table]:
    """Return whether everybody's are in, what orders and refunds came to, and purchases."""
    paid = facts.cut(as_of).orders
    bought = facts.bought_orders().select("customer_id", "ordered_at", "ended_at")
    if facts.has_subscriptions:  # one that begins is a purchase
        starts = build_named_starts(facts)
        ended = ibis.null(bought.ended_at.type())
        bought = bought.union(starts.select("customer_id", ordered_at="at", ended_at=ended))
    bought = bought.filter(bought.ordered_at < ibis.literal(as_of, type="timestamp('UTC', 6)"))
    whole = run(paid.count().as_table()).column(0)[0].as_py() <= MOST_ORDERS
    if not whole:
        named = ibis.memtable(pa.table({"customer_id": persons.drop_null().unique()}))
        paid, bought = (one.semi_join(named, "customer_id") for one in (paid, bought))
    paid, bought = (one.filter(one.customer_id.notnull()) for one in (paid, bought))
    return (
        whole,
        run(paid.select("customer_id", "ordered_at", net=build_net(paid).cast("float64"))),
        run(bought.select("customer_id", "ordered_at", "ended_at")),
    )


def _read_words(facts: Facts, run: Run, persons: pa.ChunkedArray) -> pa.Table:
    """Return what those who were sent something ever said of being written to."""
    if facts.permissions is None:
        return _NO_WORDS.empty_table()
    said = facts.permissions.filter(facts.permissions.said != UNSAID)
    said = run(said.select(*_NO_WORDS.names))
    return said.filter(pc.is_in(said["customer_id"], persons.drop_null().unique()))


def _as_words(said: pa.Table, speaker: Whole, span: Span) -> Mapping[str, Words]:
    channel = np.array(said["channel"].to_pylist(), dtype=object)
    at = to_instants(said["counts_at"], 0)
    is_no = np.array([word == "no" for word in said["said"].to_pylist()], dtype=bool)
    found = {}
    for name in set(channel.tolist()):
        mine = channel == name
        found[str(name)] = Words(speaker[mine], at[mine], is_no[mine], span)
    return found
