"""The stays of people on lists that other systems keep: who is to be on, who is to be off.

The wish and what the other system was told stand apart in each row, so that whoever is
killed in between leaves something to be told again. Telling twice does no harm.
"""
