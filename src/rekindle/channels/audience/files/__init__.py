"""Lists as files, for any ad system that takes one: a table of hashes."""
