"""Numbers imports, and writes on each row when and by which of them it became what it is.

A date can be corrected, and a clock be wrong; that an order stood in one version of the
facts and not in the one before cannot. So what somebody was let into a journey by is told
apart from what came in since by these numbers, not by dates.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import duckdb

from rekindle.facts.contracts import CONTRACTS
from rekindle.facts.lake import Change, create_view
from rekindle.facts.sql import literal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SAME_BUYER = "t.customer_id is not distinct from f.customer_id"
OF_STAYS = ("subscriptions", "subscription_changes")
NUMBERED = ("orders", *OF_STAYS)
"""The tables whose rows carry the numbers of the imports that made them."""


def next_number(con: duckdb.DuckDBPyConnection, change: Change, *, now: datetime) -> int:
    """Return the number of an import that begins ``now``: above all before it.

    It is the time in microseconds where clocks go right, so that a lake that is made anew
    goes on above the one it replaces.
    """
    newest = 0
    for table in NUMBERED:
        create_view(con, change, CONTRACTS[table])
        ((last,),) = con.execute(f"select coalesce(max(changed_in), 0) from {table}").fetchall()
        newest = max(newest, int(last))
    return max(newest + 1, (now - EPOCH) // timedelta(microseconds=1))


def build_stamps(number: int, now: datetime) -> Mapping[str, str]:
    """Return the SQL of what is written on an order beside what a file says of it.

    ``t`` is the order as it was held. One from before numbers were kept is as old as can be.
    A refund or cancellation without a date counts from ``now``, when it is first read.
    """
    present = f"timestamptz {literal(now.isoformat())}"
    same_refund = "t.refund is not distinct from f.refund and t.kind = f.kind"
    held = "case when t.kind = 'purchase' then coalesce(t.known_in, 0) else t.known_in end"
    was_none = f"t.order_id is not null and t.kind <> 'purchase' and {SAME_BUYER}"
    return {
        "known_in": f"case when {SAME_BUYER} and ({held}) is not null then {held} "
        f"when f.kind = 'purchase' then {number} end",
        "sold_in": f"case when f.kind = 'purchase' and {was_none} and t.known_in is null "
        f"then {number} else t.sold_in end",
        "moved_in": f"case when t.ordered_at <> f.ordered_at then {number} else t.moved_in end",
        "changed_in": str(number),
        # A refund with a number of its own is known by its date, but for what it gave later.
        "refund_known_at": "case when f.refund > 0 "
        "and (f.kind <> 'refund' or f.refunded_at > f.ordered_at) then "
        f"case when f.refunded_at is not null then least(f.refunded_at, {present}) "
        f"when {same_refund} then t.refund_known_at else {present} end end",
        "cancel_known_at": "case when f.kind = 'cancelled' then "
        f"case when f.cancelled_at is not null then least(f.cancelled_at, {present}) "
        f"when t.kind = 'cancelled' then t.cancel_known_at else {present} end end",
    }


def build_stay_stamps(number: int, now: datetime) -> Mapping[str, str]:
    """Return the SQL of what is written on a subscription: as ``build_stamps`` has it of an order.

    One that had ended when this import began, and begins when or after it did, was not
    corrected: a system that gives former subscribers their old number has it begin anew.
    """
    present = f"timestamptz {literal(now.isoformat())}"
    is_same = f"({SAME_BUYER} and not {_begins_anew(present)})"
    is_moved = "t.started_at <> f.started_at"
    return {
        "known_in": _build_known(number, is_same, _is_paid("t"), _is_paid("f")),
        "sold_in": f"case when {is_same} then case when t.known_in is null "
        f"and not {_is_paid('t')} and {_is_paid('f')} then {number} else t.sold_in end end",
        "moved_in": f"case when {is_same} then "
        f"case when {is_moved} then {number} else t.moved_in end end",
        "moved_from": f"case when {is_same} then case when {is_moved} "
        "then least(t.moved_from, t.started_at) else t.moved_from end end",
        "begun_count": "case when t.subscription_id is null then 1 else "
        f"coalesce(t.begun_count, 1) + {_begins_anew(present)}::int end",
        "changed_in": str(number),
    }


def build_change_stamps(number: int) -> Mapping[str, str]:
    """Return the SQL of what is written on a change of a subscription's price."""
    pays = {name: f"({_amount(name)} > 0)" for name in "tf"}
    is_held = "t.subscription_id is not null"
    return {
        "known_in": _build_known(number, is_held, pays["t"], pays["f"]),
        "changed_in": str(number),
    }


def _begins_anew(present: str) -> str:
    is_later = "f.started_at > t.started_at and coalesce(f.ended_at > f.started_at, true)"
    return f"coalesce(t.ended_at <= least(f.started_at, {present}) and {is_later}, false)"


def _is_paid(row: str) -> str:
    return f"(not coalesce({row}.is_trial, false) and {_amount(row)} > 0)"


def _amount(row: str) -> str:
    return f"coalesce({row}.mrr, {row}.amount, 0)"


def _build_known(number: int, is_same: str, was_paid: str, is_paid: str) -> str:
    held = f"case when {was_paid} then coalesce(t.known_in, 0) else t.known_in end"
    return (
        f"case when {is_same} and ({held}) is not null then {held} when {is_paid} then {number} end"
    )


def build_card_stamps(now: datetime) -> Mapping[str, str]:
    """Return the SQL of when a card became known; one from before this was kept always was."""
    present = f"timestamptz {literal(now.isoformat())}"
    return {"known_at": f"case when t.customer_id is null then {present} else t.known_at end"}


def count_undated(con: duckdb.DuckDBPyConnection, written: str, now: datetime) -> str:
    """Return what to say of refunds and cancellations that have no date; "" if there are none."""
    present = f"timestamptz {literal(now.isoformat())}"
    ((refunds, cancellations),) = con.execute(
        f"select count(*) filter (where refunded_at is null and refund_known_at = {present}), "
        f"count(*) filter (where cancelled_at is null and cancel_known_at = {present}) "
        f"from {written}"
    ).fetchall()
    found = [
        f"{count:,} {word if count == 1 else word + 's'}"
        for count, word in ((refunds, "refund"), (cancellations, "cancellation"))
        if count
    ]
    if not found:
        return ""
    what = " and ".join(found)
    return f"{what} without a date, counted from this import; map refunded_at or cancelled_at"
