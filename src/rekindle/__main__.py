"""``python -m rekindle``: the command line, where the command itself is not on the path."""

from rekindle.cli import main

main()
