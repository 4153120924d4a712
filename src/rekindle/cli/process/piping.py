"""Lets a command finish its work when whoever reads its output has left.

``rekindle audit | head`` is no fault: what nobody reads any more is dropped, and the exit
code is still the command's own. Python itself would end the command in the middle of a
print, with a traceback or a complaint at exit.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any, TextIO

STANDARD = ("stdout", "stderr")


class PatientFile(io.FileIO):
    """A file descriptor that leads to nowhere once its reader has left."""

    def write(self, data: Any, /) -> int:
        """Write to the reader, or to nobody where there is none any more."""
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())  # for programs started from here as well
            os.close(nowhere)
            return super().write(data) or 0


def outlive_readers() -> None:
    """Let standard output and standard error of this process survive their readers.

    Streams that are no files of their own (a test's, a program's that calls us) stay.
    """
    for number, name in enumerate(STANDARD, start=1):
        stream = getattr(sys, name)
        if _is_file(stream, number):
            stream.flush()
            setattr(sys, name, _patient(stream, number))


def finish_output() -> OSError | None:
    """Write out what is still held back; return why it did not arrive, if it did not."""
    try:
        sys.stdout.flush()
    except OSError as error:
        sys.stdout = None  # or Python tries, and complains, again
        return error
    except (AttributeError, ValueError):
        pass  # closed from the beginning
    return None


def _is_file(stream: Any, number: int) -> bool:
    try:
        raw = getattr(stream.buffer, "raw", stream.buffer)
        return type(raw) is io.FileIO and raw.fileno() == number
    except (AttributeError, OSError, ValueError):
        return False


def _patient(stream: TextIO, number: int) -> TextIO:
    raw = PatientFile(number, "w", closefd=False)
    is_terminal = raw.isatty()
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        # What a terminal of another encoding cannot show is no reason to stop.
        errors=stream.errors if "utf" in stream.encoding.lower() else "replace",
        line_buffering=is_terminal or number == STANDARD.index("stderr") + 1,
    )
