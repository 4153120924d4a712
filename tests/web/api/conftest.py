"""A workspace whose ledger is on either database, and its API behind a real server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rekindle.clock import MovableClock
from rekindle.ledger import ApiKeys, Scope, disconnect
from rekindle.runtime import Workspace
from rekindle.web.api import build_api
from rekindle.worker import LedgerIntake
from tests.ledger.conftest import postgres, postgres_ledger, sqlite_template  # noqa: F401 - fixtures
from tests.web.api.caller import Caller, serving
from tests.web.api.fake_intake import NOW


@pytest.fixture(params=["sqlite", "postgres"])
def space(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    """Yield an empty workspace at noon, once on each database."""
    url = "sqlite:///state/ledger.sqlite3"
    if request.param == "postgres":
        request.getfixturevalue("postgres")
        url = request.getfixturevalue("postgres_url")
    else:
        (tmp_path / "state").mkdir()
        template = request.getfixturevalue("sqlite_template")
        shutil.copy(template, tmp_path / "state" / "ledger.sqlite3")
    settings = f'[workspace]\ncurrency = "GBP"\n[ledger]\nurl = "{url}"\n'
    (tmp_path / "rekindle.toml").write_text(settings, encoding="utf-8")
    workspace = Workspace.open(tmp_path, clock=MovableClock(NOW))
    yield workspace
    if request.param == "sqlite":
        disconnect(workspace.ledger)


@pytest.fixture
def intake(space: Workspace) -> LedgerIntake:
    return LedgerIntake(space)


@pytest.fixture
def secret(space: Workspace) -> str:
    """Return the secret of a key that may report everything."""
    return ApiKeys(space.ledger).create("shop", source="web", scopes=[Scope.EVENTS], at=NOW)


@pytest.fixture
def caller(intake: LedgerIntake, secret: str) -> Iterator[Caller]:
    """Yield someone who calls the served API with that key."""
    with serving(build_api(intake)) as port:
        yield Caller(port, secret)
