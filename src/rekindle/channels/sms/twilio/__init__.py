"""Twilio: how a message is handed over, how it is refused, and what is reported of it."""
