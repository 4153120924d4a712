"""When somebody came to be subscribed, and what they paid from then on.

A stay that begins is a purchase like any: it ends journeys, and counts as a return.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.facts import INSTANT, PURCHASE, Facts, at_home
from rekindle.subscriptions.days import local_day
from rekindle.subscriptions.standing import CHANGED, MRR
from rekindle.subscriptions.totals import build_totals

PREFIX = "subscription:"
BOOKED = ("known_in", "sold_in", "moved_in", "first_at")
ID = ["source", "subscription_id"]


def name_start(subscription: str, turn: int = 1) -> str:
    """Return the id of the purchase that a stay is, as ``build_purchases`` has it.

    It is of the subscription and of how often that had begun by then, and of no date, for
    dates are corrected.
    """
    return f"{PREFIX}{subscription}@{turn}"


def build_starts(facts: Facts) -> ir.Table:
    """Return one row a stay, as it began: ``customer_id``, ``at`` and what it began by.

    That is ``source``, ``subscription_id``, ``kind`` and ``turn``. Who had no subscription that
    pays has one, by our definition; a pause is part of a stay.
    """
    rows = build_totals(facts)
    began = rows.filter(
        rows.customer_id.notnull() & (rows.seats > 0) & (rows.seats <= rows.seat_delta)
    )
    return began.select("customer_id", "at", *ID, "kind", "turn")


def build_named_starts(facts: Facts) -> ir.Table:
    """Return ``build_starts`` with ``order_id``, which no order has, and what imports noted.

    Beside the numbers that an order has, ``first_at`` is the earliest instant at which the
    stay was ever said to begin.
    """
    began = facts.more["subscriptions"]
    changes = at_home(facts.more["subscription_changes"], began, "subscription_id")
    rows = _with_noted(build_starts(facts), began, changes)
    rows = rows.mutate(turn=rows.turn + ibis.coalesce(rows.begun_count, 1) - 1)
    is_change = rows.kind == CHANGED
    number, instant = (ibis.null(rows[name].type()) for name in ("sold_in", "moved_from"))
    return rows.select(
        "customer_id",
        "at",
        *ID,
        order_id=_build_order_id(rows),
        turn="turn",
        known_in=ibis.ifelse(is_change, rows.priced_in, rows.known_in),
        sold_in=ibis.ifelse(is_change, number, rows.sold_in),
        moved_in=ibis.ifelse(is_change, number, rows.moved_in),
        first_at=ibis.least(
            rows["at"],
            ibis.coalesce(ibis.ifelse(is_change, instant, rows.moved_from), rows["at"]),
        ),
    )


def _with_noted(starts: ir.Table, began: ir.Table, changes: ir.Table) -> ir.Table:
    """Add what imports noted of the subscription a stay began by, and of the change of price."""
    noted = began.select(
        *(began[name].name(f"of_{name}") for name in ID),
        *("known_in", "sold_in", "moved_in", "moved_from", "begun_count"),
    )
    rows = starts.left_join(noted, [starts[name] == noted[f"of_{name}"] for name in ID])
    rows = rows.drop(*(f"of_{name}" for name in ID))
    priced = changes.select(
        *(changes[name].name(f"of_{name}") for name in ID), "changed_at", priced_in="known_in"
    )
    same = [rows[name] == priced[f"of_{name}"] for name in ID]
    rows = rows.left_join(priced, [*same, rows["at"] == priced.changed_at])
    return rows.drop(*(f"of_{name}" for name in ID), "changed_at")


def build_purchases(orders: ir.Table, facts: Facts) -> ir.Table:
    """Return the purchases among ``orders``, and beside them every stay that began.

    Both with ``source``, ``order_id``, ``customer_id``, ``ordered_at``, ``ordered_on`` and
    ``kind``, and the imports that had each first, as a purchase and of another date. Of a stay
    alone ``first_at`` is known, as ``build_named_starts`` has it.
    """
    columns = ("source", "order_id", "customer_id", "ordered_at", "ordered_on", "kind", *BOOKED)
    bought = orders.filter(orders.kind == PURCHASE)
    bought = bought.mutate(first_at=ibis.null(INSTANT)).select(*columns)
    if not facts.has_subscriptions:
        return bought
    starts = build_named_starts(facts)
    return bought.union(
        starts.select(
            "source",
            "order_id",
            "customer_id",
            ordered_at=starts["at"],
            ordered_on=local_day(starts["at"], facts.zone),
            kind=ibis.literal(PURCHASE),
            **{name: starts[name].cast(bought[name].type()) for name in BOOKED},
        ).select(*columns)
    )


def build_corrected_starts(facts: Facts, since: int) -> ir.Table:
    """Return every stay of whose subscriptions imports changed after number ``since``.

    With ``source``, ``order_id``, ``customer_id``, ``ordered_at`` and ``is_void``: a stay that
    may once have begun, and by what is known today did not, is void.
    """
    began = facts.more["subscriptions"]
    # A join that is joined again takes its tables apart; a filter keeps it whole.
    began = began.filter(began.customer_id.notnull())
    changes = at_home(facts.more["subscription_changes"], began, "subscription_id")
    priced = changes.filter(changes.changed_in > since).select(*ID)
    touched = began.filter(began.changed_in > since).union(began.semi_join(priced, ID))
    own = began.semi_join(touched, "customer_id")
    own = own.mutate(turn=ibis.coalesce(own.begun_count, 1))
    # Each change of its price may have begun a stay, beside the subscription itself.
    later = changes.select(*ID, "changed_at").join(own, ID)
    place = ibis.row_number().over(group_by=[later[n] for n in ID], order_by=later.changed_at)
    later = later.mutate(turn=later.turn + place + 1)
    held = (*ID, "customer_id", "started_at", "turn")
    rows = own.select(*held).union(later.select(*held))
    starts = build_named_starts(facts).select(
        *ID, "turn", began_at="at", is_start=ibis.literal(True)
    )
    rows = rows.left_join(starts, [*ID, "turn"])
    return rows.select(
        "source",
        "customer_id",
        order_id=_build_order_id(rows),
        ordered_at=ibis.coalesce(rows.began_at, rows.started_at),
        is_void=rows.is_start.isnull(),
    )


def _build_order_id(rows: ir.Table) -> ir.Value:
    return ibis.literal(PREFIX) + rows.subscription_id + "@" + rows.turn.cast("string")


def build_rates(facts: Facts) -> ir.Table:
    """Return what customers pay over time: ``customer_id``, ``since_at``, ``ends_at``, ``mrr``.

    Spells of one customer follow each other; the last has no ``ends_at``.
    """
    rows = build_totals(facts)
    whole = ibis.window(group_by=rows.customer_id, order_by=rows["at"])
    return rows.select(
        "customer_id",
        since_at=rows["at"],
        ends_at=rows["at"].lead().over(whole),
        mrr=rows.mrr.cast(MRR),
    )
