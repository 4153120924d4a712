"""What goes on by itself: passes, returns, dispatch, what comes in, and restored ledgers."""

from rekindle.worker.dispatching import require_settings
from rekindle.worker.dispatching.asking import LedgerShowing, Showing, Told
from rekindle.worker.examining import Line, State, examine, worst_of
from rekindle.worker.guarding import Guard, Health
from rekindle.worker.hearing import BillerNotices, ProviderReports, bring_notices, heard_since
from rekindle.worker.keeping.access import AccessKeeper
from rekindle.worker.keeping.alerts import read_alert_urls, tell_team
from rekindle.worker.keeping.belongings import BelongingsKeeper
from rekindle.worker.keeping.daily import watch_workspace
from rekindle.worker.keeping.expiring import (
    Expiring,
    announce_expiring,
    find_expiring,
    find_unconfirmed,
)
from rekindle.worker.keeping.hygiene import Hygiene, apply_hygiene, find_hygiene
from rekindle.worker.keeping.instructing import (
    Carried,
    InstructionKeeper,
    read_instruction,
)
from rekindle.worker.keeping.moving import LearnedUplift, look_at_uplift
from rekindle.worker.keeping.noticing import LedgerOpens
from rekindle.worker.keeping.scores import KeptScores, keep_scores
from rekindle.worker.keeping.stocking import Stocked, stock_codes
from rekindle.worker.keeping.stopping import MessageStop
from rekindle.worker.links.clicking import LedgerClicks
from rekindle.worker.links.coming_back import LedgerWaysBack
from rekindle.worker.links.subscribing import LeaveLink, LedgerLeaveLinks
from rekindle.worker.measuring import LedgerFigures
from rekindle.worker.overview import FactsOverview, LedgerOverview, Overview, load_overview
from rekindle.worker.restoring import Accepted, accept_restored, accept_secret
from rekindle.worker.taking import LedgerIntake
from rekindle.worker.ticking import Pass, Worker
from rekindle.worker.trying import TestMail, save_preview, send_test, write_letters

__all__ = [
    "Accepted",
    "AccessKeeper",
    "BelongingsKeeper",
    "BillerNotices",
    "Carried",
    "Expiring",
    "FactsOverview",
    "Guard",
    "Health",
    "Hygiene",
    "InstructionKeeper",
    "KeptScores",
    "LearnedUplift",
    "LeaveLink",
    "LedgerClicks",
    "LedgerFigures",
    "LedgerIntake",
    "LedgerLeaveLinks",
    "LedgerOpens",
    "LedgerOverview",
    "LedgerShowing",
    "LedgerWaysBack",
    "Line",
    "MessageStop",
    "Overview",
    "Pass",
    "ProviderReports",
    "Showing",
    "State",
    "Stocked",
    "TestMail",
    "Told",
    "Worker",
    "accept_restored",
    "accept_secret",
    "announce_expiring",
    "apply_hygiene",
    "bring_notices",
    "examine",
    "find_expiring",
    "find_hygiene",
    "find_unconfirmed",
    "heard_since",
    "keep_scores",
    "load_overview",
    "look_at_uplift",
    "read_alert_urls",
    "read_instruction",
    "require_settings",
    "save_preview",
    "send_test",
    "stock_codes",
    "tell_team",
    "watch_workspace",
    "worst_of",
    "write_letters",
]
