"""A log that a killed process left is opened with its own ledger file, and with no other."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rekindle.errors import LedgerError
from rekindle.ledger import connect, disconnect
from rekindle.ledger.guards import leftover
from rekindle.ledger.guards.leftover import require_own_log

SEEDS = range(25)
CHECKPOINTS = ("PASSIVE", "FULL", "RESTART", "TRUNCATE")


class History:
    """A ledger that lives, is backed up at some time, and dies with a log beside it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.draw = random.Random(seed)
        self.folder = folder
        self.path = folder / "ledger.sqlite3"
        self.db = sqlite3.connect(self.path)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT)")
        self.db.execute("CREATE INDEX i ON t (word)")
        self.db.commit()

    def live(self, transactions: int) -> None:
        """Write, and now and then let SQLite write the log back, as it does by itself."""
        for _ in range(transactions):
            self.db.executemany(
                "INSERT INTO t (word) VALUES (?)",
                [(str(self.draw.random()) * 5,) for _ in range(self.draw.choice([1, 3, 60]))],
            )
            self.db.execute("UPDATE t SET word = 'x' || word WHERE id % 97 = 0")
            self.db.commit()
            if self.draw.random() < 0.15:
                self.db.execute(
                    f"PRAGMA wal_checkpoint({self.draw.choice(CHECKPOINTS)})"
                ).fetchall()

    def back_up(self, to: Path) -> None:
        """Copy it as the page on backups says."""
        with closing(sqlite3.connect(to)) as copy:
            self.db.backup(copy)

    def words(self) -> list[tuple[object, ...]]:
        return self.db.execute("SELECT id, word FROM t ORDER BY id").fetchall()

    def die(self, into: Path) -> Path:
        """Leave the files as a kill leaves them."""
        into.mkdir()
        names = ["ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm"]
        self.draw.shuffle(names)  # or as they are copied to another disk, in any order
        for name in names:
            shutil.copy(self.folder / name, into / name)
        return into / "ledger.sqlite3"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_ledger_goes_on(tmp_path: Path, seed: int) -> None:
    (tmp_path / "alive").mkdir()
    history = History(tmp_path / "alive", seed)
    history.live(history.draw.randint(1, 30))
    for number in range(4):
        history.live(history.draw.randint(0, 9))
        dead = history.die(tmp_path / f"dead{number}")
        require_own_log(dead)
        assert read(dead) == history.words()
    history.db.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_restored_ledger_is_refused_or_loses_nothing(tmp_path: Path, seed: int) -> None:
    (tmp_path / "alive").mkdir()
    history = History(tmp_path / "alive", seed)
    history.live(history.draw.randint(1, 30))
    history.back_up(tmp_path / "copy")
    history.live(history.draw.randint(0, 40))
    words = history.words()
    dead = history.die(tmp_path / "dead")
    history.db.close()
    shutil.copy(tmp_path / "copy", dead)
    try:
        require_own_log(dead)
    except LedgerError:
        return
    # The log holds all that the copy lacks, or nothing that is newer than it.
    assert read(dead) in (words, read(tmp_path / "copy"))


def test_the_word_names_the_file_and_the_remedy_and_stays_until_it_is_gone(tmp_path: Path) -> None:
    (tmp_path / "alive").mkdir()
    history = History(tmp_path / "alive", 7)
    history.back_up(tmp_path / "copy")
    history.live(200)
    dead = history.die(tmp_path / "dead")
    history.db.close()
    shutil.copy(tmp_path / "copy", dead)
    for _ in range(2):
        with pytest.raises(LedgerError, match=r"ledger\.sqlite3-wal was left .* Move "):
            connect("sqlite:///ledger.sqlite3", base=dead.parent)
    for name in ("wal", "shm"):
        (dead.parent / f"ledger.sqlite3-{name}").rename(tmp_path / name)
    disconnect(connect("sqlite:///ledger.sqlite3", base=dead.parent))


def test_a_log_of_a_process_that_lives_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "alive").mkdir()
    history = History(tmp_path / "alive", 7)
    history.live(50)
    held = (
        "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute('SELECT 1 FROM t'); "
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", held, str(history.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        assert leftover._is_open(history.path)
        other.communicate(b"")
    history.db.close()


def test_nobody_looks_into_a_file_that_is_open_here(tmp_path: Path) -> None:
    alias = connect("sqlite:///ledger.sqlite3", base=tmp_path)
    assert tmp_path / "ledger.sqlite3" in leftover._looked_at
    disconnect(alias)


@pytest.mark.parametrize("content", [b"", b"\x37", b"\x37\x7f\x06\x82" + b"\x00" * 28, b"x" * 99])
def test_a_log_without_a_transaction_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "alive").mkdir()
    history = History(tmp_path / "alive", 1)
    history.live(20)
    history.back_up(tmp_path / "copy")
    history.db.close()
    (tmp_path / "copy-wal").write_bytes(content)
    require_own_log(tmp_path / "copy")


def read(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return db.execute("SELECT id, word FROM t ORDER BY id").fetchall()
