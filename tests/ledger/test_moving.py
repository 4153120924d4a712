"""A ledger moves from SQLite to PostgreSQL whole, and at no instant are two of them in use."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connections, transaction

from rekindle.errors import LedgerError, UsageError
from rekindle.ledger import connect, disconnect, models, move_ledger, require_home
from rekindle.ledger.guards.leftover import _looked_at
from rekindle.ledger.guards.models import Move
from rekindle.ledger.guards.moving import moved_models
from tests.runtime.databases import postgres_ledger

AT = datetime(2026, 3, 2, 9, 30, 15, 123456, tzinfo=UTC)
LEDGER = "sqlite:///ledger.sqlite3"
ROWS = 3
# What a constraint asks for; the others are filled by the kind of their column.
GIVEN: Mapping[str, Any] = {
    "arm": "holdout",
    "answer": "send",
    "state": "stopped",
    "standing": "made",
    "kind": "order",
    "purpose": "*",
    "ended_at": None,
    "ended_reason": None,
    "joined_to": None,
    "properties": {"Größe": 42.0, "rate": 1e22, "tiny": 1e-7, "nested": [1, 2.5, {"z": None}]},
}


class Killed(BaseException):
    """Stands for a process that ends in the middle."""


def value_of(field: Any, number: int) -> Any:
    if (field.model._meta.db_table, field.name) == ("ledger_given_offer", "state"):
        return "open"
    if field.name in GIVEN:
        return GIVEN[field.name]
    kind = field.get_internal_type()
    if "ForeignKey" in kind or "OneToOne" in kind:
        return (
            number if field.target_field.get_internal_type() == "BigAutoField" else f"id-{number}"
        )
    if "Integer" in kind or "AutoField" in kind:
        return number
    if "Char" in kind or "Text" in kind:
        return f"id-{number}" if field.primary_key else f"{number}{field.name}"[: field.max_length]
    return {
        "DateField": (AT + timedelta(days=number)).date(),
        "DateTimeField": AT + timedelta(days=number, microseconds=number),
        "BooleanField": bool(number % 2),
        "FloatField": number / 3,
        "UUIDField": UUID(int=number),
        "JSONField": {"number": number},
    }.get(
        kind,
        f"id-{number}" if field.primary_key else f"{number}{field.name}"[: field.max_length or 9],
    )


def fill(alias: str) -> None:
    """Put rows into every table, with something in every column."""
    for model in moved_models():
        if model is models.Lane:
            continue
        for number in range(1, ROWS + 1):
            values = {f.attname: value_of(f, number) for f in model._meta.concrete_fields}
            if model is models.Touch:
                values["state"] = "queued"
            elif model is models.Delivery:
                values["kind"] = "bounced"
            model._default_manager.using(alias).create(**values)
    gone = models.Touch.objects.using(alias).create(
        **{f.attname: value_of(f, 9) for f in models.Touch._meta.concrete_fields if f.name != "id"}
        | {"state": "queued"}
    )
    gone.delete(using=alias)  # its number was given out, and must not be again


def table_names() -> list[str]:
    return [Move._meta.db_table, *(model._meta.db_table for model in moved_models())]


def contents(alias: str) -> dict[str, list[Any]]:
    """Return every row of every table a database has for a ledger, but the one about moves."""
    return {
        model._meta.db_table: list(model._default_manager.using(alias).order_by("pk").values())
        for model in apps.get_app_config("ledger").get_models(include_auto_created=True)
        if model is not Move
    }


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[str]:
    with postgres_ledger(postgres_url) as url:
        yield url


@pytest.fixture
def target(database: str) -> str:
    """Return the URL of an empty PostgreSQL ledger."""
    alias = connect(database, base=Path("/"))
    lanes = list(models.Lane.objects.using(alias).all())
    tables = ", ".join(table_names())
    with connections[alias].cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY")
    models.Lane.objects.using(alias).bulk_create(lanes)
    return database


@pytest.fixture(scope="module")
def filled(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite ledger that has something in every column."""
    folder = tmp_path_factory.mktemp("filled")
    shutil.copy(sqlite_template, folder / "ledger.sqlite3")
    alias = connect(LEDGER, base=folder)
    with transaction.atomic(using=alias):
        fill(alias)
    disconnect(alias)
    return folder / "ledger.sqlite3"


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Iterator[Path]:
    """Yield a folder with a copy of the filled ledger."""
    shutil.copy(filled, tmp_path / "ledger.sqlite3")
    yield tmp_path
    disconnect(connect(LEDGER, base=tmp_path))


def move(folder: Path, target: str, *, until: str = "") -> Any:
    """Move the ledger; the process dies where it says a word that begins with ``until``."""

    def progress(text: str) -> None:
        if until and text.startswith(until):
            raise Killed

    return move_ledger(LEDGER, target, base=folder, at=AT, who="me", progress=progress)


def aliases(folder: Path, target: str) -> tuple[str, str]:
    return connect(LEDGER, base=folder), connect(target, base=folder)


def in_use(folder: Path, target: str) -> list[str]:
    """Return which of the two may be used: some rows, and nothing that forbids it."""
    found = []
    for name, alias in zip(("old", "new"), aliases(folder, target), strict=True):
        try:
            require_home(alias)
        except LedgerError:
            continue
        if models.Person.objects.using(alias).exists():
            found.append(name)
    return found


@pytest.mark.long
def test_every_table_and_row_arrives(folder: Path, target: str) -> None:
    old, new = aliases(folder, target)
    before = contents(old)
    assert all(len(rows) >= ROWS for rows in before.values())
    moved = move(folder, target)
    entries = before["ledger_auditentry"]
    entries.append(models.AuditEntry.objects.using(new).filter(action="moved").values().get())
    assert moved.rows == sum(map(len, before.values()))
    assert contents(new) == before
    assert in_use(folder, target) == ["new"]


def test_no_table_of_a_ledger_is_forgotten(target: str) -> None:
    tables = connections[connect(target, base=Path("/"))].introspection.table_names()
    assert set(tables) - set(table_names()) == {"django_migrations"}


def test_no_number_is_given_out_again(folder: Path, target: str) -> None:
    old, new = aliases(folder, target)
    with connections[old].cursor() as cursor:
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = 'ledger_touch'")
        (last,) = cursor.fetchone()
    move(folder, target)
    fresh = models.AuditEntry.objects.using(new).create(at=AT, who="me", action="a", subject="s")
    assert fresh.pk == ROWS + 2
    row = models.Touch.objects.using(new).get(pk=1)
    row.pk, row.step = None, "another"
    row.save(using=new, force_insert=True)
    assert row.pk == last + 1


def test_the_old_ledger_refuses_every_write(folder: Path, target: str) -> None:
    move(folder, target)
    old, _ = aliases(folder, target)
    with pytest.raises(LedgerError, match="was moved to postgresql"):
        require_home(old)
    touches = models.Touch.objects.using(old)
    for write in (touches.filter(pk=1).delete, lambda: touches.update(state="sending")):
        with pytest.raises(Exception, match="was moved to"):
            write()
    person = models.Person(id="new", properties={})
    with pytest.raises(Exception, match="was moved to"):
        person.save(using=old, force_insert=True)


@pytest.mark.long
@pytest.mark.parametrize(
    ("word", "left"),
    [
        ("bringing", ["old"]),
        ("copying ledger_touch", ["old"]),
        ("the copy is whole", ["old"]),
        ("the old ledger is closed", []),
    ],
)
def test_killed_anywhere_at_most_one_is_in_use_and_the_same_call_goes_on(
    folder: Path, target: str, word: str, left: list[str]
) -> None:
    old, new = aliases(folder, target)
    with pytest.raises(Killed):
        move(folder, target, until=word)
    assert in_use(folder, target) == left
    if left:
        models.Person.objects.using(old).filter(pk="id-1").update(country="ZZ")
    assert move(folder, target) is not None
    assert contents(new) == contents(old)
    assert in_use(folder, target) == ["new"]


def test_a_half_filled_target_says_so(folder: Path, target: str) -> None:
    _, new = aliases(folder, target)
    with pytest.raises(Killed):
        move(folder, target, until="the copy is whole")
    with pytest.raises(LedgerError, match="not done"):
        require_home(new)


def test_moving_again_is_no_harm(folder: Path, target: str) -> None:
    move(folder, target)
    _, new = aliases(folder, target)
    after = contents(new)
    assert move(folder, target) is None
    assert contents(new) == after


def test_another_ledger_is_not_written_over(folder: Path, target: str) -> None:
    old, new = aliases(folder, target)
    models.Meter.objects.using(new).create(name="rekindle: last pass", at=AT)
    with pytest.raises(LedgerError, match="holds a ledger already"):
        move(folder, target)
    assert models.Meter.objects.using(new).count() == 1
    assert in_use(folder, target) == ["old"]
    assert not Move.objects.using(old).exists()


def test_the_half_of_another_ledger_is_not_written_over(folder: Path, target: str) -> None:
    with pytest.raises(Killed):
        move(folder, target, until="the copy is whole")
    other = folder / "other"
    other.mkdir()
    with connections[connect(LEDGER, base=folder)].cursor() as cursor:
        cursor.execute(f"VACUUM INTO '{other}/ledger.sqlite3'")
    with pytest.raises(LedgerError, match="is being moved there from"):
        move(other, target)
    disconnect(connect(LEDGER, base=other))


def spoil(alias: str) -> None:
    """Let the target change what it is given."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION spoil() RETURNS trigger AS 'BEGIN NEW.country = ''XX''; "
            "RETURN NEW; END' LANGUAGE plpgsql"
        )
        cursor.execute(
            "CREATE TRIGGER spoil BEFORE INSERT ON ledger_person FOR EACH ROW "
            "EXECUTE FUNCTION spoil()"
        )


def test_what_arrives_as_something_else_is_noticed(folder: Path, target: str) -> None:
    _, new = aliases(folder, target)
    spoil(new)
    try:
        with pytest.raises(LedgerError, match="ledger_person did not arrive as it left"):
            move(folder, target)
    finally:
        with connections[new].cursor() as cursor:
            cursor.execute("DROP FUNCTION spoil CASCADE")
    assert in_use(folder, target) == ["old"]
    assert not models.Person.objects.using(new).exists()


def test_a_row_that_the_target_refuses_changes_nothing(folder: Path, target: str) -> None:
    old, new = aliases(folder, target)
    models.AuditEntry.objects.using(old).filter(pk=2).update(who="a\0b")
    with pytest.raises(LedgerError, match="NUL"):
        move(folder, target)
    assert in_use(folder, target) == ["old"]
    assert not models.Person.objects.using(new).exists()


@pytest.mark.parametrize(
    ("source", "to", "word"),
    [
        ("postgresql:///a", "postgresql:///b", "no SQLite ledger"),
        (LEDGER, "sqlite:///b.sqlite3", "no PostgreSQL database"),
        ("sqlite:///nowhere.sqlite3", "postgresql:///b", "no ledger at"),
    ],
)
def test_what_cannot_be_moved_is_said(source: str, to: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=word):
        move_ledger(source, to, base=tmp_path, at=AT, who="me")


HOLD = """
import sqlite3, sys
ledger = sqlite3.connect(sys.argv[1])
ledger.execute("SELECT count(*) FROM ledger_person").fetchall()
print("open", flush=True)
sys.stdin.read()
"""


def test_a_ledger_that_somebody_has_open_is_not_moved(folder: Path, target: str) -> None:
    path = folder / "ledger.sqlite3"
    disconnect(connect(LEDGER, base=folder))
    _looked_at.discard(path)
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(LedgerError, match="another process has"):
            move(folder, target)
        os.kill(other.pid, signal.SIGKILL)
    assert move(folder, target) is not None
