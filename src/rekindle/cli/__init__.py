"""The command line."""

from rekindle.cli.app import app, main

__all__ = ["app", "main"]
