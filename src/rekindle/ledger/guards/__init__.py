"""How a ledger recognises its secret, its own files, and that it is an older copy of itself.

Its parts are named one by one, as the tables are read while Django is still starting.
"""
