"""What goes on by itself: passes, returns, dispatch, what comes in, and restored ledgers."""

from rekindle.worker.dispatching import require_settings
from rekindle.worker.examining import Line, State, examine, worst_of
from rekindle.worker.guarding import Guard, Health
from rekindle.worker.hearing import ProviderReports
from rekindle.worker.restoring import Accepted, accept_restored, accept_secret
from rekindle.worker.taking import LedgerIntake
from rekindle.worker.ticking import Pass, Worker

__all__ = [
    "Accepted",
    "Guard",
    "Health",
    "LedgerIntake",
    "Line",
    "Pass",
    "ProviderReports",
    "State",
    "Worker",
    "accept_restored",
    "accept_secret",
    "examine",
    "require_settings",
    "worst_of",
]
