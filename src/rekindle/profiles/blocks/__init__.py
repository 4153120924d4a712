"""The blocks of products that messages show, one file each; every file has a ``BLOCK``."""
