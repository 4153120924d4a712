"""The walls between rooms that an import contract cannot see.

import-linter keeps the direction; here are the faces, the owner of each outside
library, and the one door through which a message may leave.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

import pytest

from rekindle.channels import discover
from tools.source_tree import PACKAGE, Module, entries, files, modules, rooms

SHIPPED = modules("src")
FOLDERS = [room for room, path in rooms().items() if path.is_dir()]
FORBIDDEN_NAMES = frozenset(
    {"base", "common", "core", "helper", "helpers", "manager", "misc", "shared", "util", "utils"}
)
SEES_INSIDE = {
    "testing": "its fakes stand in for inner parts",
}
INNER_ROOMS = {
    "journeys.population": "who the people are, which needs an engine of facts; the rest does not"
}
OWNERS = {
    "deltalake": {"facts"},
    "duckdb": {"facts"},
    "sqlite3": {"facts", "ledger"},
    "psycopg": {"facts", "ledger", "testing"},
    "sqlglot": {"audiences", "facts"},
    "ibis": {
        "audiences",
        "facts",
        "insights",
        "journeys",
        "profiles",
        "predictions",
        "runtime",
        "subscriptions",
        "testing",
        "desk",
        "worker",
    },
    "django": {"ledger", "web", "channels"},
    "django.db": {"ledger"},
    "anymail": {"channels"},
    "checkdmarc": {"channels"},
    "dns": {"channels"},
    "requests": {"channels"},
    "smtplib": {"channels"},
    "splink": {"identity"},
    "stripe": {"billing"},
    "chargebee": {"billing"},
    "aiosmtpd": {"testing"},
    "apprise": {"worker"},
    "mrml": {"content"},
    "liquid": {"content"},
    "matplotlib": {"insights"},
    "scipy": {"experiments", "insights", "identity", "predictions"},
    "typer": {"cli"},
    "typst": {"channels"},
    "rich": {"cli"},
    "waitress": {"web"},
    "prometheus_client": {"web"},
    "yaml": {"config", "journeys"},
}
# What makes an engine work. `.schema.to_pyarrow()` only says a schema in Arrow's words.
ENGINE_VERBS = frozenset(
    {"execute", "raw_sql", "to_csv", "to_pandas", "to_parquet", "to_polars", "to_pyarrow"}
    | {"to_pyarrow_batches"}
)
MAY_EXECUTE = {
    "facts.engines": "the one place that runs what is built on the facts",
    "facts.sources.query": "runs a query that somebody wrote, on their database",
    "ledger": "Django's cursors, which reach no facts",
    "testing": "makes the worlds that tests read",
}
OUTLET_VERBS = frozenset({"send", "send_message", "sendmail"})
DISPATCHER = "rekindle.worker.dispatching.handing"


@cache
def face(room: str) -> set[str]:
    """Return the names in the ``__all__`` of a room that is a folder."""
    for node in Module(PACKAGE / room / "__init__.py").tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if [ast.unparse(target) for target in targets] == ["__all__"] and node.value:
                return set(ast.literal_eval(node.value))
    return set()


def reaches_inside(module: Module) -> Iterator[str]:
    others = set(FOLDERS) - {module.room}
    for node, name in module.imports:
        parts = name.split(".")
        if parts[0] != "rekindle" or len(parts) < 3 or parts[1] not in others:
            continue
        if ".".join(parts[1:3]) in INNER_ROOMS:
            parts[1:3] = ["/".join(parts[1:3])]
        if len(parts) > 3 or parts[2] not in face(parts[1]):
            yield f"{module.place}:{node.lineno} {name}"


@pytest.mark.parametrize("room", FOLDERS)
def test_a_room_shows_its_face(room: str) -> None:
    assert (PACKAGE / room / "__init__.py").is_file()


def test_rooms_meet_face_to_face() -> None:
    guests = [module for module in SHIPPED if module.room not in SEES_INSIDE]
    assert [reach for module in guests for reach in reaches_inside(module)] == []


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_is_used_by_its_owners_only(library: str) -> None:
    owners = OWNERS[library]
    assert [
        f"{module.place}:{node.lineno} {name}"
        for module in SHIPPED
        if module.room not in owners
        for node, name in module.imports
        if name == library or name.startswith(f"{library}.")
    ] == []


def is_import(module: Module) -> bool:
    """Return whether a module of facts reads and writes files with DuckDB, without Ibis."""
    libraries = {name.split(".")[0] for _, name in module.imports}
    return module.room == "facts" and "ibis" not in libraries


def test_only_engines_run_what_is_built_on_the_facts() -> None:
    inside = tuple(f"rekindle.{name}." for name in MAY_EXECUTE)
    outside = [module for module in SHIPPED if not f"{module.name}.".startswith(inside)]
    assert [
        f"{module.place}:{node.lineno} {ast.unparse(node.func)}"
        for module in outside
        if not is_import(module)
        for node in module.nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ENGINE_VERBS
        and not ast.unparse(node.func.value).endswith("schema")
    ] == []


def test_a_message_leaves_only_through_the_dispatcher() -> None:
    outside = [m for m in SHIPPED if m.name != DISPATCHER and m.room != "channels"]
    assert [
        f"{module.place}:{node.lineno}"
        for module in outside
        for node in module.nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in OUTLET_VERBS
    ] == []


def test_a_dossier_is_built_in_one_place() -> None:
    outside = [m for m in SHIPPED if m.name != "rekindle.gate.dossiers" and m.room != "testing"]
    assert [
        f"{module.place}:{node.lineno}"
        for module in outside
        for node in module.nodes
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Dossier"
    ] == []


def test_no_name_says_nothing() -> None:
    names = [path for path in files(PACKAGE) if path.stem in FORBIDDEN_NAMES]
    folders = {path.parent for path in files(PACKAGE) if path.parent.name in FORBIDDEN_NAMES}
    assert [*names, *folders] == []


def test_every_channel_has_the_same_files() -> None:
    folders = entries(PACKAGE / "channels") if "channels" in rooms() else []
    shapes = {
        folder.name: {entry.name for entry in entries(folder) if entry.suffix == ".py"}
        for folder in folders
        if folder.is_dir()
    }
    assert len({frozenset(shape) for shape in shapes.values()}) <= 1, shapes


def test_nothing_is_imported_from_the_workbench() -> None:
    assert [
        f"{module.place}:{node.lineno} {name}"
        for module in SHIPPED
        for node, name in module.imports
        if name.split(".")[0] in {"bench", "tests", "tools"}
    ] == []


def test_no_room_names_a_channel_or_an_outlet() -> None:
    """Rooms ask what a channel can do; only its folder knows which it is."""
    outlets = {entry.name for folder in discover().values() for entry in folder.outlets}
    outside = [m for m in SHIPPED if m.room not in {"channels", "testing"}]
    assert [
        f"{module.place}:{node.lineno}"
        for module in outside
        for node in module.nodes
        if (isinstance(node, ast.Constant) and node.value in outlets)
        or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "Channel"
            and any(isinstance(argument, ast.Constant) for argument in node.args)
        )
    ] == []
