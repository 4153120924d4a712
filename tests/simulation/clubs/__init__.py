"""Worlds in which people are written to by six ways at once, each with its own permission."""
