"""Nothing reads the time or rolls dice on its own.

A decision that reads a clock or a random source cannot be replayed. So only
``rekindle.clock`` reads the time, and chance comes from generators with a named seed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tools.source_tree import PACKAGE, ROOT, Module, files, modules

CLOCKS = frozenset(
    {f"datetime.datetime.{verb}" for verb in ("now", "utcnow", "today")}
    | {"datetime.date.today", "email.utils.localtime", "email.utils.make_msgid"}
    | {
        f"time.{verb}"
        for verb in (
            "gmtime", "localtime", "monotonic", "monotonic_ns", "perf_counter",
            "perf_counter_ns", "process_time", "sleep", "time", "time_ns",
        )
    }
    | {f"django.utils.timezone.{verb}" for verb in ("localdate", "localtime", "now")}
    | {"django.db.models.functions.Now", "ibis.now", "ibis.today"}
    | {f"pandas.Timestamp.{verb}" for verb in ("now", "today", "utcnow")}
)  # fmt: skip
CLOCK_ARGUMENTS = frozenset({"auto_now", "auto_now_add"})
SQL_CLOCK = re.compile(
    r"\b(?:(?:now|clock_timestamp|getdate|statement_timestamp|transaction_timestamp|today)\s*\(\s*\)"
    r"|current_(?:date|time|timestamp)\b|localtimestamp\b"
    r"|(?:date|datetime|julianday|strftime|unixepoch)\s*\([^)]*'now')",
    re.IGNORECASE,
)
SQL = re.compile(r"\b(?:select|insert\s+into|update|delete\s+from)\s", re.IGNORECASE)
CHANCE = ("random", "secrets", "uuid.uuid1", "uuid.uuid4", "os.urandom", "numpy.random")
SEEDED = frozenset({"random.Random", "numpy.random.default_rng"})
TYPES = frozenset({"numpy.random.Generator"})
OUTSIDE_DECISIONS = {
    "ledger": "makes the workspace's signing key, and names its leases: no decision looks at them",
    "facts": "tells an import's entries in a table's log from another's",
}


def clock_reads(module: Module) -> Iterator[str]:
    for use, name in module.references:
        if name in CLOCKS:
            yield f"{module.place}:{use.lineno} {name}"
    for node in module.nodes:
        if isinstance(node, ast.keyword) and node.arg in CLOCK_ARGUMENTS:
            yield f"{module.place}:{node.value.lineno} {node.arg}"
    for line, query in queries_in(module):
        if found := SQL_CLOCK.search(query):
            yield f"{module.place}:{line} {found.group()}"


def queries_in(module: Module) -> Iterator[tuple[int, str]]:
    for node in module.nodes:
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and SQL.search(node.value)
        ):
            yield node.lineno, node.value


def unseeded(module: Module) -> Iterator[str]:
    seeded = {
        id(node.func)
        for node in module.nodes
        if isinstance(node, ast.Call)
        and module.spell(node.func) in SEEDED
        and (node.args or node.keywords)
    }
    inner = {id(n.value) for n in module.nodes if isinstance(n, ast.Attribute)}
    # What a parameter is annotated with draws nothing.
    notes = (n.annotation for n in module.nodes if isinstance(n, ast.arg) and n.annotation)
    inner |= {id(part) for note in notes for part in ast.walk(note)}
    for node, name in module.references:
        is_chance = name.startswith(tuple(f"{c}." for c in CHANCE)) or name in CHANCE
        if is_chance and name not in TYPES and not {id(node)} & (seeded | inner):
            yield f"{module.place}:{node.lineno} {name}"


def parsed(source: str) -> Module:
    module = Module(ROOT / "src" / "rekindle" / "example.py")
    module.__dict__["text"] = source
    return module


def test_only_the_clock_reads_the_time() -> None:
    exempt = {"rekindle.clock", "tests.architecture.test_time_and_chance"}
    places = [module for module in modules("src", "tests") if module.name not in exempt]
    assert [read for module in places for read in clock_reads(module)] == []


def test_no_query_asks_the_database_for_the_time() -> None:
    queries = [path for path in files(PACKAGE) if path.suffix == ".sql"]
    assert [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in queries
        if (found := SQL_CLOCK.search(path.read_text(encoding="utf-8")))
    ] == []


def test_chance_is_seeded() -> None:
    places = [m for m in modules("src", "tests", "bench") if m.room not in OUTSIDE_DECISIONS]
    assert [roll for module in places for roll in unseeded(module)] == []


def test_every_disguise_of_a_clock_is_seen() -> None:
    source = (
        "import datetime as d, time\n"
        "from time import monotonic as tick\n"
        "a = d.datetime.now()\n"
        "b = time.time\n"
        "c = tick()\n"
        "q = 'SELECT 1 WHERE at < now()'\n"
        "f = Field(auto_now=True)\n"
    )
    lines = sorted(int(read.split(":")[1].split()[0]) for read in clock_reads(parsed(source)))
    assert lines == [3, 4, 5, 6, 7]


def test_a_seed_makes_the_difference() -> None:
    source = (
        "import numpy as np, random, uuid\n"
        "a = np.random.default_rng(7)\n"
        "b = np.random.default_rng()\n"
        "c = random.Random(seed)\n"
        "d = random.random()\n"
        "e = uuid.uuid4()\n"
    )
    lines = sorted(int(roll.split(":")[1].split()[0]) for roll in unseeded(parsed(source)))
    assert lines == [3, 5, 6]
