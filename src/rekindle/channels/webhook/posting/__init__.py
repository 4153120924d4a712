"""Signed messages to, and signed reports from, a system of the user's own."""
