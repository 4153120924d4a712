"""The workspace: a folder opened, with its stores, engine and outlets wired together."""

from rekindle.runtime.secret import find_secret, require_secret
from rekindle.runtime.workspace import Workspace, end_of_day

__all__ = ["Workspace", "end_of_day", "find_secret", "require_secret"]
