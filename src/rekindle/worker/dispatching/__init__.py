"""The way out of the building: everything between the outbox and an outlet."""

from rekindle.worker.dispatching.building import build_dispatcher, require_settings
from rekindle.worker.dispatching.dispatcher import (
    CHUNK_SECONDS,
    Dispatcher,
    DispatchReport,
    Means,
)
from rekindle.worker.dispatching.handing import Fate, Handed, HandOver
from rekindle.worker.dispatching.looking import LastLook

__all__ = [
    "CHUNK_SECONDS",
    "DispatchReport",
    "Dispatcher",
    "Fate",
    "HandOver",
    "Handed",
    "LastLook",
    "Means",
    "build_dispatcher",
    "require_settings",
]
