"""What goes on by itself: passes, returns, dispatch, what comes in, and restored ledgers."""

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
    "Pass",
    "ProviderReports",
    "Worker",
    "accept_restored",
    "accept_secret",
]
