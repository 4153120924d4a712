"""Django is configured here, by hand, once in a process, and databases join by URL.

There is no settings module: a workspace names its ledger in ``rekindle.toml``, and
one process may hold several ledgers side by side (tests, a move to PostgreSQL).
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import django
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils.connection import ConnectionDoesNotExist

from rekindle.errors import ConfigError, LedgerError
from rekindle.ledger.guards.leftover import require_own_log

APP = "rekindle.ledger"
BUSY_SECONDS = 30
LAYING_OUT = 0x7265_6B69_6E64_6C65  # any number of our own: the lock of who makes the tables
SQLITE = "django.db.backends.sqlite3"
SETTINGS: dict[str, Any] = {
    "INSTALLED_APPS": [APP],
    "DATABASES": {},
    "USE_TZ": True,
    "TIME_ZONE": "UTC",
    "USE_I18N": False,
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    # Django asks for one; links are signed with the workspace's own secret instead.
    "SECRET_KEY": "unused",
    "ALLOWED_HOSTS": ["*"],
    "MIDDLEWARE": [],
    "LOGGING_CONFIG": None,
}
SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # NORMAL could forget an accepted message when the power fails, and send it again.
    "PRAGMA synchronous=FULL",
    # 64 MB, as the cache: by the usual 4 a batch wrote the file before it was at its end, and
    # wrote again what the next one changed.
    "PRAGMA wal_autocheckpoint=16384",
    "PRAGMA cache_size=-65536",
    "PRAGMA temp_store=MEMORY",
)


def configure(**more: Any) -> None:
    """Configure Django for this process; later calls only add what ``more`` names.

    Raises:
        LedgerError: something else configured Django here without the ledger.
    """
    if not settings.configured:
        settings.configure(**{**SETTINGS, **more})
        django.setup()
        return
    if APP not in settings.INSTALLED_APPS:
        raise LedgerError(
            f"Django is already configured in this process without {APP!r}; "
            "add it to INSTALLED_APPS or run Rekindle in a process of its own"
        )
    for name, value in more.items():
        setattr(settings, name, value)
    if not apps.ready:
        django.setup()


def connect(url: str, *, base: Path) -> str:
    """Return the alias of the database at ``url``, which answers; repeatable.

    ``sqlite:///PATH`` is relative to ``base``, ``sqlite:////PATH`` absolute; a
    ``postgresql://`` URL may name a unix socket's folder as ``?host=``.

    Raises:
        ConfigError: the URL names no database that can hold a ledger.
        LedgerError: the database cannot be reached.
    """
    configure()
    entry = _entry(url, base)
    identity = "\n".join(f"{key}={entry[key]}" for key in sorted(entry))
    alias = "ledger_" + hashlib.sha256(identity.encode()).hexdigest()[:12]
    if alias not in connections.databases:
        if entry["ENGINE"] == SQLITE:
            require_own_log(Path(entry["NAME"]))
        connections.databases[alias] = entry
    try:
        connections[alias].ensure_connection()
    except (DatabaseError, ImproperlyConfigured, OSError) as error:
        disconnect(alias)
        raise LedgerError(f"the ledger at {without_password(url)}: {_advice(error)}") from error
    return alias


def migrate(alias: str) -> None:
    """Bring the database to this version's layout.

    Raises:
        LedgerError: a newer version wrote it, or the database refused.
    """
    try:
        loader = MigrationLoader(connections[alias])
        applied = {name for app, name in loader.applied_migrations if app == "ledger"}
        known = {name for app, name in loader.disk_migrations if app == "ledger"}
        if unknown := sorted(applied - known):
            raise LedgerError(
                f"the ledger was written by a newer Rekindle ({unknown[-1]}); upgrade this one"
            )
        if not applied:
            _lay_out(alias)
        elif applied != known:
            call_command("migrate", database=alias, verbosity=0, interactive=False)
    except DatabaseError as error:
        raise LedgerError(f"the ledger's tables cannot be brought up to date: {error}") from error


def _lay_out(alias: str) -> None:
    """Make the tables of a new ledger as the models say them, in one transaction.

    A new ledger has nothing to keep, and going all the way its layout went costs a second
    of work. A test compares both ways on both databases. The names of all migrations are
    written down, so that the next version goes on from here.
    """
    connection = connections[alias]
    recorder = MigrationRecorder(connection)
    with connection.schema_editor() as editor:
        if connection.vendor == "postgresql":
            # Workers that start together find the ledger made; SQLite's transactions wait.
            editor.execute(f"SELECT pg_advisory_xact_lock({LAYING_OUT})")
        recorder.ensure_schema()
        if recorder.applied_migrations():
            return
        for model in apps.get_app_config("ledger").get_models():
            editor.create_model(model)
        while editor.deferred_sql:  # indexes, which the next line asks for
            editor.execute(editor.deferred_sql.pop(0))
        import_module(f"{APP}.migrations.0007_one_order").compare_bytes(apps, editor)
        import_module(f"{APP}.migrations.0002_promises").fill_lanes(apps, editor)
        for app, name in sorted(MigrationLoader(connection).disk_migrations):
            recorder.record_applied(app, name)


def count_pending(alias: str) -> int:
    """Return how many changes ``migrate`` would make.

    Raises:
        LedgerError: the database refused.
    """
    try:
        loader = MigrationLoader(connections[alias])
        applied = {name for app, name in loader.applied_migrations if app == "ledger"}
        return len({name for app, name in loader.disk_migrations if app == "ledger"} - applied)
    except DatabaseError as error:
        raise LedgerError(f"the ledger's layout cannot be read: {error}") from error


def disconnect(alias: str) -> None:
    """Close this thread's connection and forget the database."""
    if alias not in connections.databases:
        return
    try:
        connections[alias].close()
        del connections[alias]
    except (AttributeError, ImproperlyConfigured):
        pass  # never opened in this thread
    connections.databases.pop(alias)


def let_go(alias: str) -> None:
    """Close this thread's connection, if any; the next statement opens a new one."""
    # It may never have been opened in this thread, and be forgotten by another meanwhile.
    with suppress(ConnectionDoesNotExist):
        connections[alias].close()


def mend(alias: str) -> None:
    """Let go of this thread's connection if it failed; the next statement opens a new one."""
    connections[alias].close_if_unusable_or_obsolete()


def _entry(url: str, base: Path) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(url, base)
    if parts.scheme in {"postgresql", "postgres"}:
        options = dict(parse_qsl(parts.query))
        return _complete(
            ENGINE="django.db.backends.postgresql",
            NAME=unquote(parts.path.lstrip("/")) or "postgres",
            USER=unquote(parts.username or ""),
            PASSWORD=unquote(parts.password or ""),
            HOST=options.pop("host", parts.hostname or ""),
            PORT=options.pop("port", str(parts.port or "")),
            OPTIONS=options,
        )
    raise ConfigError(
        f"ledger.url: {without_password(url)!r} is no ledger; "
        "write sqlite:///PATH or postgresql://USER@HOST/NAME"
    )


def path_of(url: str, base: Path) -> Path:
    """Return the file of a SQLite ledger.

    Raises:
        ConfigError: the URL names none.
    """
    text = unquote(urlsplit(url).path.removeprefix("/"))
    if not text:
        raise ConfigError(f"ledger.url: {url!r} names no file; write sqlite:///PATH")
    return (base / text).resolve()


def _sqlite(url: str, base: Path) -> dict[str, Any]:
    path = path_of(url, base)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"the ledger's folder {path.parent} cannot be made: {error}") from error
    return _complete(
        ENGINE=SQLITE,
        NAME=str(path),
        OPTIONS={
            "timeout": BUSY_SECONDS,
            "transaction_mode": "IMMEDIATE",
            "init_command": ";".join(SQLITE_PRAGMAS),
        },
    )


def _complete(**given: Any) -> dict[str, Any]:
    """Fill in what Django itself fills in for databases known at start."""
    return {
        "USER": "",
        "PASSWORD": "",
        "HOST": "",
        "PORT": "",
        "ATOMIC_REQUESTS": False,
        "AUTOCOMMIT": True,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "TIME_ZONE": None,
        "TEST": {"CHARSET": None, "COLLATION": None, "MIGRATE": True, "MIRROR": None, "NAME": None},
        **given,
    }


def _advice(error: Exception) -> str:
    if isinstance(error, ImproperlyConfigured):
        return "its driver is missing; install Rekindle with its extra `postgres`"
    return f"cannot be reached ({str(error).strip()}); check the URL and that the server runs"


def without_password(url: str) -> str:
    """Return a URL as it may be shown."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return url.replace(f":{parts.password}@", ":…@", 1)
