"""The workspace: a folder opened, with its stores, engine and outlets wired together."""

from rekindle.runtime.workspace import Workspace

__all__ = ["Workspace"]
