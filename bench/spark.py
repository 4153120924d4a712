"""Spark against DuckDB over one lake: the same numbers, and what they cost."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import Result, compare
from bench.worlds import LINE_COLUMNS, WORK, cards_file, lines_file
from rekindle.config import Config, LifecycleSettings
from rekindle.facts import Engine, FactsPlace, Lake, import_sources, open_engine
from rekindle.insights import build_audit
from rekindle.profiles import build_profiles
from tests.facts.engines.java import make_java_home

LINES, CUSTOMERS = 773_000, 50_000
AT = datetime(2024, 7, 1, tzinfo=UTC)
CARD_COLUMNS = ("customer_id", "email", "first_name", "country", "email_consent", "created_at")


def spark() -> Result:
    """One profile of 50,000 customers on Spark against DuckDB; both have to be equal."""
    folder = Path(tempfile.mkdtemp(dir=WORK))
    os.environ["JAVA_HOME"] = str(make_java_home(folder / "java"))
    try:
        import_sources(_config(), folder, now=AT)
        place = FactsPlace(Lake(folder / "state/lake"), currency="GBP", zone="Europe/London")
        local, remote = open_engine(place, "duckdb"), open_engine(place, "spark")
        _require_equal(local, remote)
        return compare(
            lambda: remote.run(build_profiles(remote.facts(), AT, LifecycleSettings())),
            lambda: local.run(build_profiles(local.facts(), AT, LifecycleSettings())),
            rounds=2,
            limit=60,
            note="profiles of 50 k customers on Spark ÷ on DuckDB, every cell equal",
        )
    finally:
        shutil.rmtree(folder)


def _config() -> Config:
    lines = {"name": "shop", "table": "order_lines", "columns": LINE_COLUMNS}
    cards = {
        "name": "cards",
        "table": "customers",
        "columns": {name: name for name in CARD_COLUMNS},
    }
    return Config.model_validate(
        {
            "workspace": {"timezone": "Europe/London", "currency": "GBP"},
            "sources": [
                {**lines, "path": str(lines_file(LINES))},
                {**cards, "path": str(cards_file(CUSTOMERS))},
            ],
        }
    )


def _require_equal(local: Engine, remote: Engine) -> None:
    ours, theirs = (
        engine.run(build_profiles(engine.facts(), AT, LifecycleSettings())).sort_by("customer_id")
        for engine in (local, remote)
    )
    if not ours.equals(theirs) or not ours.num_rows:
        raise AssertionError("the profiles of both engines differ")
    audits = [
        build_audit(engine.facts(), engine.run, as_of=AT, settings=LifecycleSettings()).to_json()
        for engine in (local, remote)
    ]
    if audits[0] != audits[1]:
        raise AssertionError("the audits of both engines differ")
