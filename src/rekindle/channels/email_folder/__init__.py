"""E-mail into a folder: one ``.eml`` file a message, for trying things out."""

from __future__ import annotations

from rekindle.channels.email_folder.outlet import Outlet

SUMMARY = "writes each e-mail to a file and sends nothing"
SECRETS: tuple[str, ...] = ()

__all__ = ["SECRETS", "SUMMARY", "Outlet"]
