"""What a push says, as the page or the app is handed it."""

from rekindle.channels.push.writing.payload import read_payload, write_file

__all__ = ["read_payload", "write_file"]
