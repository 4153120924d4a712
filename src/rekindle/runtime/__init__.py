"""The workspace: a folder opened, with its stores, engine and outlets wired together."""

from rekindle.runtime.waiting import find_task_waits
from rekindle.runtime.workspace import Workspace

__all__ = ["Workspace", "find_task_waits"]
