"""Databases join by URL, say clearly when they cannot, and stay in step with the models."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections

from rekindle.errors import BusyError, ConfigError, LedgerError
from rekindle.ledger import LedgerBook, configure, connect, disconnect, migrate, models, queries
from rekindle.ledger.queries import statement
from rekindle.testing.book_contract import START, TERMS, build_version

one_order = import_module("rekindle.ledger.migrations.0007_one_order")


def _book(alias: str) -> LedgerBook:
    return LedgerBook(alias, secret=b"s", terms=TERMS)


def test_two_ledgers_live_in_one_process(sqlite: str, tmp_path: Path) -> None:
    other = connect("sqlite:///deep/other.sqlite3", base=tmp_path)
    migrate(other)
    _book(other).start(build_version())
    assert (len(_book(other).running()), len(_book(sqlite).running())) == (1, 0)
    disconnect(other)


def test_connecting_again_gives_the_same_ledger(sqlite: str, tmp_path: Path) -> None:
    assert connect(f"sqlite:///{tmp_path}/ledger.sqlite3", base=Path("/elsewhere")) == sqlite


def test_configuring_again_only_adds(sqlite: str) -> None:
    from django.conf import settings

    configure(APPEND_SLASH=False)
    assert settings.APPEND_SLASH is False
    assert "rekindle.ledger" in settings.INSTALLED_APPS


@pytest.mark.parametrize("url", ["mysql://host/name", "sqlite://", "ledger.sqlite3"])
def test_url_that_names_no_ledger_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^ledger\.url"):
        connect(url, base=tmp_path)


def test_unreachable_server_is_named_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://shop:hush@/ledger?host={tmp_path}&connect_timeout=2"
    with pytest.raises(LedgerError, match="cannot be reached") as caught:
        connect(url, base=tmp_path)
    assert "hush" not in str(caught.value)


def test_folder_in_place_of_a_file_cannot_be_reached(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="cannot be reached"):
        connect(f"sqlite:///{tmp_path}", base=tmp_path)


def test_ledger_of_a_newer_version_is_refused(sqlite: str) -> None:
    with connections[sqlite].cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) "
            "VALUES ('ledger', '9999_future', '2030-01-01')"
        )
    with pytest.raises(LedgerError, match="newer Rekindle"):
        migrate(sqlite)


def test_query_on_a_ledger_without_tables_is_a_ledger_error(tmp_path: Path) -> None:
    alias = connect("sqlite:///bare.sqlite3", base=tmp_path)
    book = _book(alias)
    asks = (book.running, lambda: book.past("lapsed", ["ann"]), lambda: book.start(build_version()))
    for ask in asks:
        with pytest.raises(LedgerError, match="refused"):
            ask()
    disconnect(alias)


def test_migrations_say_all_that_the_models_say(alias: str) -> None:
    call_command("makemigrations", "ledger", check=True, dry_run=True, verbosity=0)
    migrate(alias)


def test_sqlite_survives_a_power_failure_and_readers(sqlite: str) -> None:
    with connections[sqlite].cursor() as cursor:
        found = []
        for pragma in ("journal_mode", "synchronous", "foreign_keys"):
            cursor.execute(f"PRAGMA {pragma}")
            found.append(cursor.fetchone()[0])
    assert found == ["wal", 2, 1]


def test_writer_that_never_ends_is_told_of_in_words(sqlite: str, tmp_path: Path) -> None:
    with connections[sqlite].cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=50")
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.sqlite3")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusyError, match="another process"):
            _book(sqlite).start(build_version())


def test_both_databases_keep_one_order_of_texts(alias: str) -> None:
    names = ["Zoe", "anna", "Ärger", "_x", "a-1", "a1"]
    models.Meter.objects.using(alias).bulk_create(
        models.Meter(name=name, at=START) for name in names
    )
    rows = models.Meter.objects.using(alias).order_by("name").values_list("name", flat=True)
    assert list(rows) == sorted(names)


def test_no_text_on_postgresql_is_in_the_order_of_a_language(postgres: str) -> None:
    with connections[postgres].cursor() as cursor:
        cursor.execute(one_order.TEXTS)
        assert cursor.fetchall() == []
        cursor.execute(one_order.PATTERN_INDEXES)
        assert cursor.fetchall() == []


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("hold_orders", "ledger_signal_subject"),
        ("correct_orders", "ledger_signal_subject"),
        ("events_of_orders", "ledger_event_subject"),
    ],
)
def test_orders_are_found_by_their_index(sqlite: str, query: str, index: str) -> None:
    text = statement(query, "sqlite")
    with connections[sqlite].cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {text}", ["[]"] * text.count("%s"))
        plan = " ".join(str(row[-1]) for row in cursor.fetchall())
    assert f"USING INDEX {index} (source=? AND subject=?)" in plan


def test_conditions_of_indexes_are_spelled_as_the_indexes_spell_them() -> None:
    """SQLite takes a partial index only for the very words of its condition."""
    spelled_otherwise = re.compile(r"(subject|address_hash|phone_hash) <> ''")
    found = {
        path.name
        for path in (Path(queries.__file__).parent / "sql").glob("*.sql")
        if spelled_otherwise.search(path.read_text())
    }
    assert found == set()


@contextlib.contextmanager
def fresh_database(kind: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the alias of a database without any tables."""
    folder.mkdir(exist_ok=True)
    url = "sqlite:///fresh.sqlite3"
    if kind == "postgres":
        url = str(request.getfixturevalue("postgres_url"))
        with connections[connect(url, base=folder)].cursor() as cursor:
            cursor.execute("DROP DATABASE IF EXISTS fresh")
            cursor.execute("CREATE DATABASE fresh")
        url = url.replace("/postgres?", "/fresh?")
    alias = connect(url, base=folder)
    yield alias
    disconnect(alias)


# A condition is shown with casts where its column changed its type after it was made.
SEPARATORS = re.compile(r"(?:[\s,()\[\]]|::(?:text|character varying)|ARRAY)+")
SQLITE_LAYOUT = "SELECT type, name, coalesce(sql, '') FROM sqlite_master"
POSTGRES_LAYOUT = """
SELECT table_name, column_name, concat_ws(' ', data_type, character_maximum_length,
       column_default, is_nullable, is_identity, collation_name)
FROM information_schema.columns WHERE table_schema = current_schema()
UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes
WHERE schemaname = current_schema()
UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = current_schema()::regnamespace
"""


def _layout(alias: str) -> list[tuple[str, str, list[str]]]:
    """Return what a database holds, in whatever order its columns came."""
    connection = connections[alias]
    query = SQLITE_LAYOUT if connection.vendor == "sqlite" else POSTGRES_LAYOUT
    with connection.cursor() as cursor:
        cursor.execute(query)
        made = sorted(
            (kind, name, sorted(SEPARATORS.split(text))) for kind, name, text in cursor.fetchall()
        )
        for table in sorted(connection.introspection.table_names(cursor)):
            if table not in ("django_migrations", "sqlite_sequence"):
                cursor.execute(f'SELECT * FROM "{table}" ORDER BY 1')
                made.append(("rows", table, [str(row) for row in cursor.fetchall()]))
        cursor.execute("SELECT name FROM django_migrations ORDER BY id")
        made.append(("rows", "django_migrations", [name for (name,) in cursor.fetchall()]))
    return made


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_new_ledger_is_laid_out_as_one_that_went_all_the_way(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    layouts: list[list[tuple[str, str, list[str]]]] = []
    for bring in (migrate, lambda alias: call_command("migrate", database=alias, verbosity=0)):
        with fresh_database(database, tmp_path / str(len(layouts)), request) as alias:
            bring(alias)
            layouts.append(_layout(alias))
    assert layouts[0] == layouts[1]


def test_workers_that_start_together_make_one_ledger(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with fresh_database("postgres", tmp_path, request) as alias:

        def start(_: int) -> None:
            migrate(alias)
            connections[alias].close()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(start, range(8)))
        assert ("rows", "ledger_lane", [f"({n},)" for n in range(64)]) in _layout(alias)
