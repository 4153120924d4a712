"""What is to leave: held by one worker at a time, looked at once more, and accounted for."""

from rekindle.ledger.hashing import touch_key
from rekindle.ledger.outbox.deliveries import Deliveries
from rekindle.ledger.outbox.keeping import KeptMessage, KeptMessages
from rekindle.ledger.outbox.meters import Meters
from rekindle.ledger.outbox.model import OutboxMessage, Recovered, StuckMessage
from rekindle.ledger.outbox.outbox import MAX_ATTEMPTS, Outbox
from rekindle.ledger.outbox.stopping import DoorState, Stop, Stops
from rekindle.ledger.outbox.tasks import Outcome, TaskEntry, Tasks

__all__ = [
    "MAX_ATTEMPTS",
    "Deliveries",
    "DoorState",
    "KeptMessage",
    "KeptMessages",
    "Meters",
    "Outbox",
    "OutboxMessage",
    "Outcome",
    "Recovered",
    "Stop",
    "Stops",
    "StuckMessage",
    "TaskEntry",
    "Tasks",
    "touch_key",
]
