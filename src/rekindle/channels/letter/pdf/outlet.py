"""Writes letters as PDF, and who they are to into a list for whoever prints them.

What a person or a template says is handed to typst as data, never as source.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from threading import Lock
from typing import Literal

import typst

from rekindle.channels.letter.settings import LetterSettings
from rekindle.channels.letter.writing import WrittenLetter, write_letter
from rekindle.errors import OutletFaultError, RefusedContentError, TemporaryDeliveryError
from rekindle.messages import Message, Receipt

SOURCE = Path(__file__).with_name("letter.typ")
MANIFEST = "manifest.csv"
COLUMNS = ("file", "written_at", "name", "street", "city", "postal_code", "state", "country")
STANDARD: Literal["ua-1"] = "ua-1"
MOST_LINES = 6
# Faults of the file above or of what is installed: no other letter would fare better.
OURS = ("unknown font", "file not found", "failed to load")


class PdfOutlet:
    """Implements ``rekindle.messages.Outlet`` with a folder for a printer."""

    def __init__(self, settings: LetterSettings, folder: Path) -> None:
        self._settings, self._folder = settings, folder
        self._compiler = typst.Compiler(str(SOURCE))
        self._lock = Lock()
        self._listed: set[str] | None = None

    def send(self, message: Message) -> Receipt:
        """Write one letter, whole or not at all, and then its line of the list."""
        letter = write_letter(message, self._settings)
        name = f"{message.key}.pdf"
        with self._lock:
            written = self._written(letter)
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                fresh = self._folder / f"{message.key}.new"
                fresh.write_bytes(written)
                fresh.replace(self._folder / name)
                self._list(name, letter, message)
            except OSError as error:
                raise TemporaryDeliveryError(
                    f"{self._folder} cannot be written: {error}"
                ) from error
        return Receipt(name)

    def close(self) -> None:
        """Forget what the list holds: it may be taken away between passes."""
        self._listed = None

    def _written(self, letter: WrittenLetter) -> bytes:
        pdf = self._settings.pdf
        told = {
            "title": letter.title,
            "author": self._settings.return_address[0] if self._settings.return_address else "",
            "paper": pdf.paper,
            "font": pdf.font,
            "language": self._settings.language.partition("-")[0],
            "sender": self._settings.return_address,
            "recipient": letter.recipient[:MOST_LINES],
            "paragraphs": letter.paragraphs,
            "stop": letter.stop,
            "max_pages": pdf.max_pages,
        }
        try:
            made, warnings = self._compiler.compile_with_warnings(
                format="pdf", sys_inputs={"letter": json.dumps(told)}, pdf_standards=STANDARD
            )
        except typst.TypstError as error:
            raise _fault_of(str(error)) from error
        if ours := next((text for one in warnings if _is_ours(text := str(one))), ""):
            raise OutletFaultError(ours)
        assert isinstance(made, bytes), "a PDF is one file"
        return made

    def _list(self, name: str, letter: WrittenLetter, message: Message) -> None:
        """Add a letter to the list, once."""
        path = self._folder / MANIFEST
        if self._listed is None or not path.exists():
            self._listed = _start(path)
        if name in self._listed:
            return
        place = letter.place
        row = (letter.name, place.street, place.city, place.postal_code, place.state, place.country)
        line = _line((name, message.at.isoformat(timespec="seconds"), *map(_plain, row)))
        with path.open("ab") as file:
            file.write(line)  # in one piece: another process may write its own
        self._listed.add(name)


def _start(path: Path) -> set[str]:
    """Return the files that a list names; begin it where there is none."""
    if not path.exists():
        path.write_bytes(_line(COLUMNS))
        return set()
    text = path.read_bytes()
    if not text.endswith(b"\n"):  # it was cut off in the middle of a line
        with path.open("ab") as file:
            file.write(b"\r\n")
    rows = csv.reader(io.StringIO(text.decode("utf-8", "replace"), newline=""))
    return {row[0] for row in rows if len(row) == len(COLUMNS)}


def _line(row: tuple[str, ...]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file).writerow(row)
    return file.getvalue().encode("utf-8", "replace")


def _plain(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _fault_of(text: str) -> RefusedContentError | OutletFaultError:
    """Return what a refusal of typst means; it is in one line, as it is kept."""
    words = " ".join(text.split())
    return OutletFaultError(words) if _is_ours(words) else RefusedContentError(words)


def _is_ours(text: str) -> bool:
    return any(word in text for word in OURS)
