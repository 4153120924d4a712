"""Tallies: what accumulates about a customer, before any date is asked about.

The families' measures serve two shapes. ``build_tallies`` folds a customer's history up
to one instant into a row; ``build_timeline`` keeps a row after every order, valid until
the next, so that many instants can be asked at once and give the very same numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from rekindle.facts import PURCHASE, UNDONE, Facts
from rekindle.profiles.blanks import build_blanks, with_blanks
from rekindle.profiles.discovery import FAMILIES
from rekindle.profiles.model import (
    CardTally,
    Family,
    Layer,
    Measure,
    OrderTally,
    ProfileColumn,
    RowTally,
    Spells,
)

Kind = TypeVar("Kind")
INSTANT = "timestamp('UTC', 6)"
FAR_OFF = datetime(9999, 1, 1)
EPOCH = ("epoch_at", "epoch_until")


def local_day(at: datetime, zone: str) -> date:
    """Return the calendar day of an instant in the business's zone."""
    return at.astimezone(ZoneInfo(zone)).date()


def local_before(at: datetime, span: timedelta, zone: str) -> datetime:
    """Return the instant ``span`` before ``at``; its whole days are days of the zone's calendar.

    Where the clocks change between, such a day has 23 hours or 25.
    """
    days, rest = divmod(span, timedelta(days=1))
    then = at.astimezone(ZoneInfo(zone)) - timedelta(days=days)
    return then.astimezone(UTC) - rest


def build_tallies(
    facts: Facts, as_of: datetime, *, columns: Collection[str] | None = None
) -> ir.Table:
    """Return one row a customer known before ``as_of``: what every family knows of them.

    Families that are derived from others are not in it yet. The columns ``as_of`` and
    ``as_of_on`` carry the question's date. A family that takes a join of its own is left out
    where it adds none of ``columns``; by default all are in.
    """
    wanted = FAMILIES.maker.keys() if columns is None else columns
    known, as_of_on = facts.cut(as_of), ibis.date(local_day(as_of, facts.zone))
    steps = _build_steps(known.orders, by=["customer_id"])
    folds = {name: measure(steps) for name, measure in _measures(OrderTally)}
    for _, spells in _with(Spells):
        folds.update(spells.fold(steps, as_of_on))
    table = steps.group_by("customer_id").agg(**folds)
    for family, layer in _with(Layer):
        if family.is_known(known) and not family.makes.isdisjoint(wanted):
            table = layer.at_once(table, known)
    table = _with_cards(table, known)
    at = ibis.literal(as_of, type=INSTANT)
    for family, tally in _with(RowTally):
        if family.is_known(known) and not family.makes.isdisjoint(wanted):
            table = _with_rows(table, tally, known, at)
    return table.mutate(as_of=at, as_of_on=as_of_on)


def build_timeline(facts: Facts) -> ir.Table:
    """Return a row for every order of every customer, with what was known after it.

    ``valid_from`` is the order's instant and ``valid_to`` the next one's (far in the
    future for the last): the row answers every question with
    ``valid_from < as_of <= valid_to``, as ``build_tallies`` cuts rows before ``as_of``.
    Where a purchase ends, a further row begins, of the orders as they stand from then on.
    """
    steps = _build_steps(facts.in_steps(), by=["customer_id", *EPOCH], first=["ordered_at"])
    order = [steps.ordered_at, steps.source, steps.order_id]
    measures = dict(_measures(OrderTally))
    table = build_running(steps, steps.ordered_at, measures, order=order, beside=EPOCH)
    table = table.mutate(
        valid_from=ibis.greatest(table.valid_from, table.epoch_at),
        valid_to=ibis.least(table.valid_to, table.epoch_until),
    ).drop(*EPOCH)
    table = table.filter(table.valid_from < table.valid_to)
    for family, layer in _with(Layer):
        if family.is_known(facts):
            table = layer.over_time(table, facts)
    return table


def build_running(
    rows: ir.Table,
    at: ir.Value,
    measures: Mapping[str, Measure],
    *,
    order: list[ir.Value],
    beside: Sequence[str] = (),
    newest: Sequence[str] = (),
) -> ir.Table:
    """Return measures after every row of a customer, valid until the customer's next row.

    Of rows at one instant only the last stays, with all of them counted. Rows that differ
    in the columns ``beside`` are told apart like those of two customers. ``newest`` are
    columns that a row brings as they are.
    """
    by = ["customer_id", *beside]
    so_far = ibis.window(group_by=by, order_by=order, rows=(None, 0))
    whole = ibis.window(group_by=by, order_by=order)
    table = rows.select(
        *by,
        *newest,
        **{name: measure(rows).over(so_far) for name, measure in measures.items()},
        valid_from=at,
        valid_to=ibis.coalesce(at.lead().over(whole), instant(FAR_OFF)),
    )
    return table.filter(table.valid_from < table.valid_to)


def build_spells(facts: Facts) -> Mapping[str, ir.Table]:
    """Return, by family, the spells of what is not in a timeline; ``join_spells`` adds it."""
    found = {family.name: spells.build(facts) for family, spells in _with(Spells)}
    for family, tally in _with(RowTally):
        if family.is_known(facts):
            rows = tally.rows(facts)
            spells = build_running(
                rows, rows.at, tally.measures, order=[rows.at], newest=tally.newest
            )
            found[family.name] = spells
    return found


def join_spells(rows: ir.Table, name: str, spells: ir.Table) -> ir.Table:
    """Add a family's columns to rows with ``customer_id``, ``as_of`` and ``as_of_on``."""
    family = FAMILIES[name]
    if isinstance(family.how, Spells):
        return family.how.join(rows, spells)
    spells = spells.rename(spell_of="customer_id")
    joined = rows.left_join(
        spells,
        [
            rows.customer_id == spells.spell_of,
            spells.valid_from < rows.as_of,
            rows.as_of <= spells.valid_to,
        ],
    )
    return with_blanks(joined.drop("spell_of", "valid_from", "valid_to"), family.columns)


def instant(at: datetime) -> ir.Value:
    """Return an instant of UTC, given without a zone, as a value."""
    return ibis.literal(at, type="timestamp").cast(INSTANT)


def _with(kind: type[Kind]) -> Iterator[tuple[Family, Kind]]:
    for family in FAMILIES.values():
        if isinstance(family.how, kind):
            yield family, family.how


def _measures(kind: type[OrderTally | CardTally]) -> Iterator[tuple[str, Measure]]:
    for _, tally in _with(kind):
        yield from tally.measures.items()


def _build_steps(orders: ir.Table, *, by: Sequence[str], first: Sequence[str] = ()) -> ir.Table:
    """Return every order of a known customer, with the purchase day before it.

    Of a day's purchases one is its ``is_new_day``: that which comes first by the columns
    ``first``, else any.
    """
    orders = orders.filter(orders.customer_id.notnull())
    # What can be worked out after the window is: it sorts whole rows, and wider ones slower.
    is_purchase, is_undone = orders.kind == PURCHASE, orders.kind == UNDONE
    marked = orders.mutate(
        is_purchase=is_purchase,
        purchase_on=is_purchase.ifelse(orders.ordered_on, ibis.null()),
        undone_on=is_undone.ifelse(orders.ordered_on, ibis.null()),
    )
    # What is no purchase has no such day, and comes before all that are one or after them: either
    # way the first has none before it. The day is shorter to sort by than the instant.
    days = [marked.purchase_on, *(marked[name] for name in first)]
    seen_on = marked.purchase_on.lag().over(ibis.window(group_by=list(by), order_by=days))
    seen = marked.mutate(seen_on=seen_on)
    is_purchase = seen.is_purchase
    steps = seen.mutate(
        paid=is_purchase.ifelse(seen.gross - ibis.coalesce(seen.discount, 0), 0),
        purchase_at=is_purchase.ifelse(seen.ordered_at, ibis.null()),
        is_new_day=is_purchase & (seen.seen_on.isnull() | (seen.seen_on < seen.purchase_on)),
    )
    return steps.mutate(day_before=steps.is_new_day.ifelse(steps.seen_on, ibis.null()))


def _with_cards(table: ir.Table, facts: Facts) -> ir.Table:
    """Add the card's columns, and the people on a card who never bought."""
    if not facts.has_cards:
        return table.mutate(**build_blanks(card_columns()))
    cards = facts.customers
    cards = cards.group_by(card_id=cards.customer_id).agg(
        **{name: measure(cards) for name, measure in card_measures().items()}
    )
    joined = table.outer_join(cards, table.customer_id == cards.card_id)
    joined = joined.mutate(customer_id=ibis.coalesce(joined.customer_id, joined.card_id))
    held = [column for name, column in FAMILIES.by_column.items() if name in joined.columns]
    return with_blanks(joined.drop("card_id"), held)


def _with_rows(table: ir.Table, tally: RowTally, facts: Facts, as_of: ir.Value) -> ir.Table:
    rows = tally.rows(facts)
    rows = rows.filter(rows.at < as_of)
    found = rows.group_by(tally_of=rows.customer_id)
    kept = found.agg(last_at=rows.at.max(), **{n: m(rows) for n, m in tally.measures.items()})
    if tally.newest:
        kept = kept.inner_join(rows, [kept.tally_of == rows.customer_id, kept.last_at == rows.at])
    kept = kept.select("tally_of", *tally.measures, *tally.newest)
    joined = table.left_join(kept, table.customer_id == kept.tally_of).drop("tally_of")
    known = [FAMILIES.by_column[name] for name in tally.measures]
    return with_blanks(joined, known)


def card_measures() -> Mapping[str, Measure]:
    """Return what the families know from contact cards, by column."""
    return dict(_measures(CardTally))


def card_columns() -> list[ProfileColumn]:
    """Return the columns that come from contact cards."""
    return [column for family, _ in _with(CardTally) for column in family.columns]
