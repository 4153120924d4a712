"""Adds to a timeline what does not come from orders: the card, and the time before.

A customer who is known from a card but has not bought yet is a prospect until the first
order; the timeline gets a row for that time, so a replay sees the people a live run sees.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.facts import Facts
from rekindle.profiles.blanks import build_blank, build_blanks
from rekindle.profiles.discovery import FAMILIES
from rekindle.profiles.tallies import (
    FAR_OFF,
    build_running,
    card_columns,
    card_measures,
    instant,
)


def build_presence(timeline: ir.Table, facts: Facts) -> ir.Table:
    """Return ``timeline`` with the columns of the card, and the time before orders.

    Spells are cut where a card appears, because no profile shows a card before that.
    """
    if not facts.has_cards:
        return timeline.mutate(**build_blanks(card_columns()))
    cards = _card_spells(facts)
    spells = [_with_card(timeline, cards), _before_card(timeline, cards)]
    columns = spells[0].columns
    spells.append(_before_orders(timeline, cards))
    return ibis.union(*(spell.select(*columns) for spell in spells))


def _card_spells(facts: Facts) -> ir.Table:
    """Return what a person's cards said together, from each one's creation to the next."""
    cards = facts.cards
    spells = build_running(cards, cards.known_from, card_measures(), order=[cards.known_from])
    return spells.rename(card_id="customer_id", known_from="valid_from", known_to="valid_to")


def _with_card(timeline: ir.Table, cards: ir.Table) -> ir.Table:
    joined = timeline.inner_join(
        cards,
        [
            timeline.customer_id == cards.card_id,
            timeline.valid_from < cards.known_to,
            cards.known_from < timeline.valid_to,
        ],
    )
    return joined.mutate(
        valid_from=ibis.greatest(joined.valid_from, joined.known_from),
        valid_to=ibis.least(joined.valid_to, joined.known_to),
    ).drop("card_id", "known_from", "known_to")


def _before_card(timeline: ir.Table, cards: ir.Table) -> ir.Table:
    """Return what is known of buyers until their first card, or for ever without one."""
    first = cards.group_by("card_id").agg(known_from=cards.known_from.min())
    joined = timeline.left_join(first, timeline.customer_id == first.card_id)
    known_from = ibis.coalesce(joined.known_from, instant(FAR_OFF))
    spells = joined.mutate(valid_to=ibis.least(joined.valid_to, known_from))
    spells = spells.mutate(**build_blanks(card_columns()))
    return spells.filter(spells.valid_from < spells.valid_to)


def _before_orders(timeline: ir.Table, cards: ir.Table) -> ir.Table:
    """Return what is known of card owners until their first order, or for ever."""
    first = timeline.group_by(buyer_id=timeline.customer_id).agg(first_at=timeline.valid_from.min())
    rows = cards.left_join(first, cards.card_id == first.buyer_id)
    first_at = ibis.coalesce(rows.first_at, instant(FAR_OFF))
    rows = rows.mutate(
        customer_id=rows.card_id,
        valid_from=rows.known_from,
        valid_to=ibis.least(rows.known_to, first_at),
    )
    blank = {
        name: build_blank(FAMILIES.by_column.get(name), dtype)
        for name, dtype in timeline.schema().items()
        if name not in rows.columns
    }
    rows = rows.mutate(**blank)
    return rows.filter(rows.valid_from < rows.valid_to)
