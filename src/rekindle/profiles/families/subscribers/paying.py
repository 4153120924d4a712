"""Paying: until when the card is good that a subscriber pays with."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.config import LifecycleSettings
from rekindle.profiles.families.subscribers.payment_cards import INNER
from rekindle.profiles.model import DTYPES, Derivation, Family, ProfileColumn


def build_paying(table: ir.Table, settings: LifecycleSettings) -> ir.Table:
    """Add the last day of the newest card, unless it was taken off."""
    if "card_removed_at" not in table.columns:
        return table
    is_off = ibis.coalesce(table.card_removed_at < table.as_of, False)
    day = is_off.ifelse(ibis.null("date"), table.card_last_day_on)
    return table.mutate(card_expires_on=day.cast(DTYPES["date"]))


FAMILY = Family(
    name="paying",
    meaning="Until when the card is good that the person pays with.",
    columns=(
        ProfileColumn(
            "card_expires_on",
            "date",
            "",
            "The last day of the card that they added or renewed last; empty where that one was "
            "taken off or says no month.",
            place=423,
        ),
    ),
    how=Derivation(build_paying, is_of_one_row=True),
    may_use=INNER,
)
