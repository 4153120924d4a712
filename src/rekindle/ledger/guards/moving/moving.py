"""The order of the steps by which a ledger moves. It is the promise: see decision 0030.

1. The source is held, so that nobody writes to it until the end.
2. The target is filled in one transaction, and says that it is not done.
3. The source says that it was moved, and refuses every write from then on.
4. The target says that it is done.

Killed before 2 is committed, nothing has changed. Killed before 3, the source is in use and
the target is filled anew. Killed before 4, neither is in use, and doing it again ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.apps import apps
from django.db import connections
from django.db.models import Model

from rekindle.errors import LedgerError, UsageError
from rekindle.ledger.guards.housing import ONLY, load_move
from rekindle.ledger.guards.leftover import require_unused
from rekindle.ledger.guards.marking import draw_token
from rekindle.ledger.guards.models import Move
from rekindle.ledger.guards.moving.copying import Progress, Tables
from rekindle.ledger.history.audit import AuditLog
from rekindle.ledger.models import Lane
from rekindle.ledger.queries import ledger_errors, ledger_transaction
from rekindle.ledger.setup import connect, migrate, path_of, without_password

STANDING = frozenset({Lane})
"""Tables that the layout itself fills."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the ledger is now, and how many rows it took; None where only the end was left."""

    place: str
    rows: int | None


def moved_models() -> Sequence[type[Model]]:
    """Return every table of a ledger but the one that tells of moves."""
    found = apps.get_app_config("ledger").get_models(include_auto_created=True)
    return [model for model in found if model is not Move]


def move_ledger(
    source: str,
    target: str,
    *,
    base: Path,
    at: datetime,
    who: str,
    progress: Progress = lambda text: None,
) -> Moved | None:
    """Move the SQLite ledger at a URL to an empty PostgreSQL database; None if it is there.

    Killed at any moment, at most one of the two can be used, and the same call goes on.

    Raises:
        UsageError: one of them is not of its kind, or there is no ledger to move.
        LedgerError: somebody uses the ledger, the target holds another one, or a database
            refused. The source is in use as before.
    """
    path = _require_kinds(source, target, base)
    require_unused(path)
    progress("bringing both layouts up to date")
    old, new = connect(source, base=base), connect(target, base=base)
    if load_move(old) is None:
        migrate(old)
    migrate(new)
    ends = _Ends(old, new, f"sqlite:///{path}", without_password(target))
    sent = load_move(old)
    if sent is not None:
        return ends.finish(sent, at)
    rows = ends.move(who, at, progress)
    return Moved(ends.to, rows)


@dataclass(frozen=True, slots=True)
class _Ends:
    """The two databases, by alias and as people name them."""

    old: str
    new: str
    origin: str
    to: str

    def move(self, who: str, at: datetime, progress: Progress) -> int:
        """Do all four steps."""
        token = draw_token()
        with ledger_transaction(self.old):  # SQLite lets one process write: this one
            AuditLog(self.old).write(who, "moved", "ledger", {"to": self.to}, at)
            with ledger_transaction(self.new):
                self._require_empty()
                tables = Tables(moved_models(), source=self.old, target=self.new)
                tables.empty_target()
                self._say(self.new, Move(is_out=False, place=self.origin, token=token, at=at))
                rows = tables.copy(progress)
            progress("the copy is whole")
            self._say(self.old, Move(is_out=True, place=self.to, token=token, at=at, done_at=at))
            _forbid_writes(self.old, self.to)
        progress("the old ledger is closed")
        self._end(at)
        return rows

    def finish(self, sent: Move, at: datetime) -> Moved | None:
        """Do what is left of a move whose source is closed.

        Raises:
            LedgerError: it was moved to another place than this.
        """
        came = load_move(self.new)
        if came is None or came.token != sent.token:
            raise LedgerError(f"this ledger was moved to {sent.place} already, which is not here")
        if came.done_at is not None:
            return None
        self._end(at)
        return Moved(self.to, None)

    def _require_empty(self) -> None:
        """Let one process at a time fill the target, and only one that holds no ledger.

        Raises:
            LedgerError: it holds one, or the half of another one.
        """
        with ledger_errors(), connections[self.new].cursor() as cursor:
            cursor.execute(f"LOCK TABLE {Move._meta.db_table} IN EXCLUSIVE MODE")
        came = load_move(self.new)
        if came is not None and came.done_at is None:
            if came.place != self.origin:
                raise LedgerError(
                    f"{self.to} holds a ledger that is being moved there from {came.place}; "
                    "finish that, or name an empty database"
                )
            return  # left by an attempt that was cut off before the source was closed
        with ledger_errors():
            full = [
                model._meta.db_table
                for model in moved_models()
                if model not in STANDING and model._default_manager.using(self.new).exists()
            ]
        if full or came is not None:
            raise LedgerError(
                f"{self.to} holds a ledger already ({', '.join(full[:3]) or 'one that was moved'}"
                "); name an empty database"
            )

    def _say(self, alias: str, move: Move) -> None:
        move.pk = ONLY
        with ledger_errors():
            Move.objects.using(alias).all().delete()
            move.save(using=alias, force_insert=True)

    def _end(self, at: datetime) -> None:
        with ledger_errors():
            Move.objects.using(self.new).filter(pk=ONLY).update(done_at=at)
            with connections[self.new].cursor() as cursor:
                cursor.execute("ANALYZE")  # it knows nothing yet of what came, and would scan


def _require_kinds(source: str, target: str, base: Path) -> Path:
    if not source.startswith("sqlite:"):
        raise UsageError(
            f"{without_password(source)} is no SQLite ledger; name the old one with --from, "
            "for instance sqlite:///state/ledger.sqlite3"
        )
    if not target.startswith(("postgresql:", "postgres:")):
        raise UsageError(
            f"{without_password(target)} is no PostgreSQL database; write "
            "postgresql://USER@HOST/NAME"
        )
    path = path_of(source, base)
    if not path.is_file():
        raise UsageError(
            f"there is no ledger at {path} to move; set ledger.url in rekindle.toml, and the "
            "first command that needs a ledger makes one there"
        )
    return path


def _forbid_writes(alias: str, place: str) -> None:
    """Let the database itself refuse every write, also of a process that has it open."""
    word = f"this ledger was moved to {place}".replace("'", "''")
    names = [Move._meta.db_table, *(model._meta.db_table for model in moved_models())]
    with ledger_errors(), connections[alias].cursor() as cursor:
        for name in names:
            for deed in ("INSERT", "UPDATE", "DELETE"):
                cursor.execute(
                    f"CREATE TRIGGER moved_{name}_{deed.lower()} BEFORE {deed} ON {name} "
                    f"BEGIN SELECT RAISE(ABORT, '{word}'); END"
                )
