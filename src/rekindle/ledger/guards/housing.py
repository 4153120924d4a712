"""Whether a ledger is the one in use: not one that was moved away, nor one half moved in."""

from __future__ import annotations

from django.db import connections

from rekindle.errors import LedgerError
from rekindle.ledger.guards.models import Move
from rekindle.ledger.queries import ledger_errors

ONLY = 1


@ledger_errors()
def load_move(alias: str) -> Move | None:
    """Return what a ledger knows of having been moved; None if nothing, or of no layout yet."""
    if Move._meta.db_table not in connections[alias].introspection.table_names():
        return None
    return Move.objects.using(alias).filter(pk=ONLY).first()


def require_home(alias: str) -> None:
    """Refuse a ledger that was moved away, and one whose move to here is not done.

    Raises:
        LedgerError: which it is, and what to do.
    """
    move = load_move(alias)
    if move is None:
        return
    if move.is_out:
        raise LedgerError(
            f"this ledger was moved to {move.place} at {move.at:%Y-%m-%d %H:%M} UTC, and nothing "
            "is decided or sent from here any more; name that one as ledger.url in rekindle.toml"
        )
    if move.done_at is None:
        raise LedgerError(
            f"this ledger is being moved here from {move.place}, and that is not done, so nothing "
            "is decided or sent from it; wait, or finish it: "
            f"`rekindle move-ledger TO --from {move.place}`"
        )
