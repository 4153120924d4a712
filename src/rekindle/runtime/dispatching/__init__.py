"""The way out of the building: everything between the outbox and an outlet."""

from rekindle.runtime.dispatching.building import build_dispatcher
from rekindle.runtime.dispatching.dispatcher import (
    CHUNK_SECONDS,
    Dispatcher,
    DispatchReport,
    Means,
)
from rekindle.runtime.dispatching.looking import LastLook

__all__ = [
    "CHUNK_SECONDS",
    "DispatchReport",
    "Dispatcher",
    "LastLook",
    "Means",
    "build_dispatcher",
]
