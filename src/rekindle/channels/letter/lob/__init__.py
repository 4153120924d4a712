"""Lob: how a letter is handed over, how it is refused, and what is reported of it."""
