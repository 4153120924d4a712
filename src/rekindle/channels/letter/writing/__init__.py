"""What a letter says, and to whom: the same for everybody who prints it."""

from rekindle.channels.letter.writing.files import write_file
from rekindle.channels.letter.writing.letter import WrittenLetter, write_letter
from rekindle.channels.letter.writing.places import PostalAddress, envelope_lines, read_place

__all__ = [
    "PostalAddress",
    "WrittenLetter",
    "envelope_lines",
    "read_place",
    "write_file",
    "write_letter",
]
