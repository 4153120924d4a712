"""Where facts are read from: kinds of files, and queries on a database."""

from rekindle.facts.sources.opening import open_file, open_source
from rekindle.facts.sources.raw import LINE, Format, Raw, Reject

__all__ = ["LINE", "Format", "Raw", "Reject", "open_file", "open_source"]
