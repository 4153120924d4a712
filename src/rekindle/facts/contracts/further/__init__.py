"""Tables that not every business has, one file each; every file has a ``CONTRACT``."""
