"""What is to leave: held by one worker at a time, looked at once more, and accounted for."""

from rekindle.ledger.hashing import touch_key
from rekindle.ledger.outbox.deliveries import Deliveries
from rekindle.ledger.outbox.keeping import KeptMessage, KeptMessages
from rekindle.ledger.outbox.meters import Meters
from rekindle.ledger.outbox.model import OutboxMessage, Recovered, StuckMessage
from rekindle.ledger.outbox.outbox import MAX_ATTEMPTS, Outbox
from rekindle.ledger.outbox.stays.counting import (
    ListTally,
    StayEntry,
    load_stays_of,
    tally_lists,
)
from rekindle.ledger.outbox.stays.judging import Judged, load_stays_to_judge, note_judged
from rekindle.ledger.outbox.stays.queue import Claimed, OpenRemoval, Stays, end_each_stay
from rekindle.ledger.outbox.stopping import DoorState, Stop, Stops
from rekindle.ledger.outbox.tasks import Outcome, TaskEntry, Tasks

__all__ = [
    "MAX_ATTEMPTS",
    "Claimed",
    "Deliveries",
    "DoorState",
    "Judged",
    "KeptMessage",
    "KeptMessages",
    "ListTally",
    "Meters",
    "OpenRemoval",
    "Outbox",
    "OutboxMessage",
    "Outcome",
    "Recovered",
    "StayEntry",
    "Stays",
    "Stop",
    "Stops",
    "StuckMessage",
    "TaskEntry",
    "Tasks",
    "end_each_stay",
    "load_stays_of",
    "load_stays_to_judge",
    "note_judged",
    "tally_lists",
    "touch_key",
]
