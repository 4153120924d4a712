"""``/metrics`` tells a holder of the right key how much was done, and strangers nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from urllib.request import Request as Asking
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rekindle.errors import LedgerError
from rekindle.ledger import ApiKeys, Scope, Stops, add_counts, note_import, note_pass
from rekindle.ledger.queries import errors_met, fetch
from rekindle.runtime import Workspace
from rekindle.web import build_site
from rekindle.web.access import declared_access
from rekindle.web.api import build_api
from rekindle.web.api.app import build_routes
from rekindle.worker import LedgerFigures, LedgerIntake
from tests.web.api.caller import Caller, serving
from tests.web.api.fake_intake import NOW


@pytest.fixture
def port(space: Workspace, intake: LedgerIntake) -> Iterator[int]:
    with serving(build_api(intake, figures=LedgerFigures(space, intake))) as port:
        yield port


@pytest.fixture
def watching(space: Workspace) -> str:
    """Return the secret of a key that may read figures."""
    return ApiKeys(space.ledger).create("watch", source="ops", scopes=[Scope.METRICS], at=NOW)


def read(port: int, secret: str) -> dict[tuple[str, ...], float]:
    """Return each sample by its name and labels, as Prometheus' own parser reads them."""
    asking = Asking(
        f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {secret}"}
    )
    with urlopen(asking, timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        text = answer.read().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_stranger_is_told_nothing(port: int, secret: str) -> None:
    for given, status in (("", 401), ("wrong", 401), (secret, 403)):
        answer = Caller(port, given).ask("GET", "/metrics")
        assert answer.status == status
        assert "rekindle_" not in str(answer.document)


def test_a_key_for_figures_may_report_nothing(port: int, watching: str) -> None:
    caller = Caller(port, watching)
    assert caller.send(caller.track("X")).status == 403


def test_figures_of_all_workers_are_added_up(
    port: int, watching: str, secret: str, space: Workspace
) -> None:
    caller = Caller(port, secret)
    assert caller.send(caller.track("X")).status == 200
    note_pass(space.ledger, NOW)
    note_import(space.ledger, NOW - timedelta(hours=1))
    for held in (2, 3):
        counts = Counter({("passes", "done"): 1, ("decisions", "hold", "quiet_hours"): held})
        add_counts(space.ledger, counts, NOW)
    found = read(port, watching)
    assert found["rekindle_passes_total", "done"] == 2
    assert found["rekindle_decisions_total", "hold", "quiet_hours"] == 5
    assert found["rekindle_reports_total", "web"] == 1
    assert found["rekindle_queue_messages", "ready"] == 0
    assert found["rekindle_last_pass_timestamp_seconds",] == NOW.timestamp()
    assert found["rekindle_last_import_timestamp_seconds",] == NOW.timestamp() - 3600


def test_an_outlet_that_is_stopped_is_told_of(port: int, watching: str, space: Workspace) -> None:
    outlet = space.config.channel("email").outlet
    assert read(port, watching)["rekindle_outlet_stopped", outlet] == 0
    Stops(space.ledger).stop(outlet, NOW, "no")
    assert read(port, watching)["rekindle_outlet_stopped", outlet] == 1


def test_what_the_database_refuses_is_counted_once(
    port: int, watching: str, space: Workspace
) -> None:
    before = read(port, watching)["rekindle_database_errors_total",]
    with pytest.raises(LedgerError):
        fetch(space.ledger, "stopped_journeys", "a parameter too many")
    assert read(port, watching)["rekindle_database_errors_total",] == before + 1
    add_counts(space.ledger, {}, NOW)
    assert errors_met.total() == 0
    assert read(port, watching)["rekindle_database_errors_total",] == before + 1


def test_the_site_serves_them(space: Workspace) -> None:
    said: list[str] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/metrics", "wsgi.input": BytesIO()}
    list(build_site(space)(environ, lambda status, headers: said.append(status)))
    assert said == ["401 Unauthorized"]


def test_every_route_of_a_served_site_says_who_may_call_it(
    space: Workspace, intake: LedgerIntake
) -> None:
    routes = build_routes(intake, figures=LedgerFigures(space, intake))
    declared = {route.path: declared_access(route.view) for route in routes}
    assert None not in declared.values()
    access = declared["/metrics"]
    assert access is not None
    assert access.scopes == {Scope.METRICS}
