"""Finds a SQLite log that was left beside a ledger file it does not belong to.

A process that is killed leaves ``-wal`` and ``-shm`` behind, and the next one to open the
ledger goes on with them. If the ledger file was put back from a backup in between, SQLite
would write pages of the lost ledger into the restored one, and ruin it. Whether the two
belong together can be read off their bytes: https://www.sqlite.org/fileformat2.html
"""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rekindle.errors import LedgerError

MAGIC = b"SQLite format 3\x00"
HEADER = struct.Struct(">16sH")
LOG_MAGIC = (0x377F0682, 0x377F0683)
LOG_HEADER = struct.Struct(">IIIIIIII")
FRAME = struct.Struct(">IIIIII")
LARGEST_PAGE = 65536
# Everybody who has a ledger open holds this byte of its -shm ("the deadman's switch").
ALIVE_AT = 128

_looked_at: set[Path] = set()


@dataclass(frozen=True, slots=True)
class _Page:
    """A page in a log: its number, the ledger's size if a transaction ends here, its place."""

    number: int
    size: int
    place: int


def require_own_log(path: Path) -> None:
    """Refuse a ledger file with a log beside it that is of another one.

    It looks once in a process, before anybody there opens the ledger: closing a file takes
    away the locks that SQLite holds on it in the same process.

    Raises:
        LedgerError: they do not belong together; SQLite has not seen them yet.
    """
    if path in _looked_at:
        return
    log = path.with_name(path.name + "-wal")
    if _is_foreign(path, log):
        raise LedgerError(
            f"{log} was left by a process that died, and it does not belong to {path}, which was "
            "put there since. Opened together, SQLite would mix both and ruin the ledger. Nothing "
            f"was touched. Move {log.name} and {path.name}-shm to another place (keep them until "
            "all is well), then run this again"
        )
    _looked_at.add(path)


def require_unused(path: Path) -> None:
    """Refuse a ledger file that another process has open.

    Where this process has it open itself, it is not looked at: that would take away the
    locks SQLite holds on it.

    Raises:
        LedgerError: somebody uses it.
    """
    if path not in _looked_at and _is_open(path):
        raise LedgerError(
            f"another process has {path} open; stop every worker, `rekindle up` and whatever "
            "else uses it, then run this again"
        )


def _is_foreign(path: Path, log: Path) -> bool:
    """Return whether the log says things that cannot be of this ledger file."""
    try:
        page_size = _read_page_size(path)
        pages = list(_committed(log)) if page_size else []
        if not pages or _is_open(path):
            return False
        if _lacks_pages(path.stat().st_size // page_size, pages):
            return True
        if path.stat().st_ctime_ns < log.stat().st_ctime_ns:
            return False  # nobody put another file there since the log was written
        return not _was_written_back(path, log, pages, page_size) and _is_ruined(path, log)
    except OSError:
        return False  # SQLite says better what is wrong with a file


def _is_open(path: Path) -> bool:
    """Return whether a process has the ledger open, so that the log is its own."""
    try:
        with path.with_name(path.name + "-shm").open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, ALIVE_AT)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _lacks_pages(size: int, pages: list[_Page]) -> bool:
    """Return whether pages are neither in the file nor in the log.

    A log begins where the file is whole, and whatever page a ledger grows by is in it.
    """
    there = {page.number for page in pages}
    return any(number not in there for number in range(size + 1, pages[-1].size + 1))


def _was_written_back(path: Path, log: Path, pages: list[_Page], page_size: int) -> bool:
    """Return whether the file is younger than the log because SQLite wrote pages back.

    It does so in the order of their numbers, so the lowest page of the log is in the file.
    """
    lowest = min(page.number for page in pages)
    with path.open("rb") as file:
        file.seek((lowest - 1) * page_size)
        kept = file.read(page_size)
    with log.open("rb") as file:
        for page in pages:
            if page.number == lowest:
                file.seek(page.place)
                if file.read(page_size) == kept:
                    return True
    return False


def _is_ruined(path: Path, log: Path) -> bool:
    """Return whether the two make no sound ledger together, tried on copies of them."""
    with TemporaryDirectory(dir=path.parent, prefix=".look-") as folder:
        copy = Path(folder) / path.name
        shutil.copy(path, copy)
        shutil.copy(log, copy.with_name(log.name))
        try:
            with closing(sqlite3.connect(copy)) as database:
                found = database.execute("PRAGMA integrity_check(1)").fetchall()
        except sqlite3.DatabaseError:
            return True
        return found != [("ok",)]


def _read_page_size(path: Path) -> int:
    """Return the size of a page; 0 where there is no ledger yet."""
    try:
        with path.open("rb") as file:
            raw = file.read(HEADER.size)
    except FileNotFoundError:
        return 0
    if len(raw) < HEADER.size or not raw.startswith(MAGIC):
        return 0
    page_size = int(HEADER.unpack(raw)[1])
    return LARGEST_PAGE if page_size == 1 else page_size


def _committed(log: Path) -> Iterator[_Page]:
    """Yield the pages of whole transactions in a log, as SQLite would read them.

    A frame with other salts is of an earlier round of the same file; what follows it is too.
    """
    try:
        file = log.open("rb")
    except FileNotFoundError:
        return
    with file:
        raw = file.read(LOG_HEADER.size)
        if len(raw) < LOG_HEADER.size:
            return
        magic, _, page_size, _, *salts, _, _ = LOG_HEADER.unpack(raw)
        if magic not in LOG_MAGIC:
            return
        pending: list[_Page] = []
        while len(head := file.read(FRAME.size)) == FRAME.size:
            number, size, *own, _, _ = FRAME.unpack(head)
            if own != salts:
                return
            pending.append(_Page(number, size, file.tell()))
            if len(file.read(page_size)) < page_size:
                return
            if size:
                yield from pending
                pending = []
