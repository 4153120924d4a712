"""Offers in the ledger: codes, what was given, taken back and redeemed."""
