"""Moves a ledger from SQLite to PostgreSQL, so that at every instant at most one is in use."""

from rekindle.ledger.guards.moving.copying import Tables
from rekindle.ledger.guards.moving.moving import Moved, move_ledger, moved_models

__all__ = ["Moved", "Tables", "move_ledger", "moved_models"]
