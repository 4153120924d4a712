"""Rekindle wins lapsed customers back, and proves in money what it earned."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rekindle.runtime import Workspace

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def open(directory: str | Path = ".") -> Workspace:
    """Return the workspace in ``directory``, ready for questions.

    Raises:
        WorkspaceError: the folder holds no workspace, or one of a newer format.
        ConfigError: its ``rekindle.toml`` cannot be used.
    """
    from rekindle.runtime import Workspace

    return Workspace.open(directory)
