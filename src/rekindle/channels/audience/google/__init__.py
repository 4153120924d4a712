"""Audiences of Google, by the Data Manager API."""
