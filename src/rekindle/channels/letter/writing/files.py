"""What stands in the file of a letter, for trying things out."""

from __future__ import annotations

from rekindle.channels.letter.settings import LetterSettings
from rekindle.channels.letter.writing.letter import write_letter
from rekindle.messages import Message


def write_file(message: Message, settings: LetterSettings) -> bytes:
    """Return the file of a letter; what would not leave is refused as if it were to."""
    letter = write_letter(message, settings)
    paragraphs = ["\n".join(one) for one in letter.paragraphs]
    parts = ["\n".join(letter.recipient), letter.title, *paragraphs, letter.stop]
    return "\n\n".join(filter(None, parts)).encode("utf-8", "replace") + b"\n"
