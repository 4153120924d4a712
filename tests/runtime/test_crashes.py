"""Killed at any moment and started again: nothing is sent twice, nothing is lost."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from aiosmtpd.controller import Controller

from rekindle.ledger import MessageState
from rekindle.testing.smtp_sink import running_sink
from tests.runtime.crashing import kill_after, start_pass, start_tick
from tests.runtime.databases import postgres_ledger, sqlite_ledger
from tests.runtime.killing import ROUGH, Siege
from tests.runtime.shops import NOW, Team, add_section, set_key

KILLS = 20
# More ticks would find no message left.
TICKS = 4
# Longer than a lease: what a killed worker held is free again.
LATER = timedelta(minutes=6)


class Counting:
    """An SMTP server that takes everything and counts each message by its id."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Take a message."""
        mail = message_from_bytes(envelope.content)
        found = re.search(r"[0-9a-f]{64}", mail["Message-ID"])
        assert found is not None
        self.taken[found[0]] += 1
        return "250 taken"


@pytest.fixture
def counting(team: Team) -> Iterator[Counting]:
    """Let the workspace send through a server that counts."""
    handler = Counting()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    send_through(team.folder, controller.port)
    yield handler
    controller.stop()


def send_through(folder: Path, port: int) -> None:
    set_key(folder, "outlet", '"email_smtp"')
    add_section(folder, f'[email.smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n')


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@pytest.fixture(scope="module")
def undisturbed(imported_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return the keys of the messages that a worker nobody kills sends."""
    folder = tmp_path_factory.mktemp("undisturbed") / "shop"
    Team.copy(imported_shop, folder)
    team = Team.at_work(folder)
    team.start("everyone")
    team.tick()
    team.leave()
    return {path.stem for path in team.outbox.glob("*.eml")}


@pytest.mark.long
def test_workers_killed_at_random_moments_send_nothing_twice_and_lose_nothing(
    postgres_url: str, tmp_path: Path
) -> None:
    kills = int(os.environ.get("KILLS", "25"))
    with running_sink(ROUGH) as sink, postgres_ledger(postgres_url) as url:
        siege = Siege(url, tmp_path, sink, seed=kills)
        siege.rage(kills)
        account = siege.settle()
    print(f"\nPostgreSQL, workers one or two at a time: {account}")
    assert account.faults == []
    assert (account.kills, account.while_handing_over > 0) == (kills, True)


@pytest.mark.long
def test_a_worker_over_a_file_is_killed_without_harm(tmp_path: Path) -> None:
    with running_sink(ROUGH) as sink:
        siege = Siege(sqlite_ledger(tmp_path), tmp_path, sink, seed=1, is_parallel=False)
        siege.rage(10)
        account = siege.settle()
    print(f"\nSQLite, one worker at a time: {account}")
    assert account.faults == []
    assert account.kills == 10


@pytest.mark.draws(1)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ticks_killed_at_random_send_every_message_exactly_once(
    team: Team, undisturbed: set[str], seed: int
) -> None:
    rng = random.Random(seed)
    team.start("everyone")
    team.leave()
    kills = 0
    for number in range(TICKS):
        process = start_tick(team.folder, NOW + number * LATER)
        more = rng.randrange(1, 4)
        kills += kill_after(process, lambda: count_mails(team), more=more, rng=rng)
    assert kills >= TICKS - 2
    team = Team.at_work(team.folder)
    team.tick(after=TICKS * LATER)
    assert {path.stem for path in team.outbox.iterdir()} == undisturbed
    messages = team.workspace.history.messages_of("everyone")
    assert {one.state for one in messages} == {MessageState.ACCEPTED}
    assert len(messages) == len({one.person for one in messages}) == len(undisturbed)


def count_mails(team: Team) -> int:
    return sum(1 for _ in team.outbox.glob("*.eml"))


@pytest.mark.long
def test_a_mail_server_gets_no_message_twice_whenever_the_worker_dies(
    team: Team, undisturbed: set[str], counting: Counting
) -> None:
    rng = random.Random(2)
    team = Team.at_work(team.folder)
    team.start("everyone")
    team.leave()
    kills = 8
    for number in range(kills):
        process = start_pass(team.folder, NOW + number * LATER)
        more = rng.randrange(len(undisturbed) // kills * 2)
        kill_after(process, counting.taken.total, more=more, rng=rng)
    team = Team.at_work(team.folder)
    for more_passes in (kills, 1):
        team.tick(after=more_passes * LATER)
    assert set(counting.taken.values()) == {1}
    unknown = {one.key for one in team.workspace.outbox.stuck()}
    assert set(counting.taken) | unknown == undisturbed
    states = Counter(one.state for one in team.workspace.history.messages_of("everyone"))
    assert (
        states
        == Counter(
            {
                MessageState.ACCEPTED: len(undisturbed) - len(unknown),
                MessageState.UNKNOWN: len(unknown),
            }
        )
        + Counter()
    )


@pytest.mark.long
def test_a_refusing_mail_server_costs_time_and_no_message(team: Team) -> None:
    port = free_port()
    send_through(team.folder, port)
    team = Team.at_work(team.folder)
    team.start("everyone")
    done = team.tick()
    assert f"cannot reach the mail server 127.0.0.1:{port}" in done.sent.trouble
    # Five failures in a row end the pass; the other connection may be one further.
    assert set(done.sent.outcomes) == {"retried later"}
    assert done.sent.outcomes["retried later"] in {5, 6}
    handler = Counting()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    again = team.tick(after=LATER)
    controller.stop()
    messages = team.workspace.history.messages_of("everyone")
    assert again.sent.outcomes == {"accepted": len(messages)}
    assert (len(handler.taken), handler.taken.total()) == (len(messages), len(messages))


class Picky(Counting):
    """A server that knows one address does not exist, and one is busy."""

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        """Refuse two of the addresses."""
        if address.startswith("c015@"):
            return "550 no such user"
        if address.startswith("c01"):
            return "450 busy, come back"
        envelope.rcpt_tos.append(address)
        return "250 fine"


@pytest.mark.long
def test_an_address_that_does_not_exist_is_not_tried_again(team: Team) -> None:
    controller = Controller(Picky(), hostname="127.0.0.1", port=free_port())
    controller.start()
    send_through(team.folder, controller.port)
    team = Team.at_work(team.folder)
    team.start("everyone")
    done = team.tick()
    controller.stop()
    assert done.sent.outcomes["bounced"] == 1
    assert done.sent.outcomes["accepted"] > 100
    assert done.sent.outcomes["retried later"] >= 1
    assert team.states("c015") == [MessageState.FAILED]
    assert team.workspace.outbox.stuck() == []  # a dead address needs nobody


@pytest.mark.long
def test_up_serves_the_portal_and_stops_when_told(team: Team) -> None:
    team.leave()
    port = free_port()
    set_key(team.folder, "listen", f'"127.0.0.1:{port}"')
    code = "import sys; from rekindle.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "up", "-C", str(team.folder), "--every", "60"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert answers(process, f"http://127.0.0.1:{port}/healthz") == "ok\n"
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0, log
    assert f"portal at http://127.0.0.1:{port}" in log
    assert "ERROR" not in log


def answers(process: subprocess.Popen[str], url: str) -> str:
    """Return what the address answers, once it does."""
    for _ in range(300):
        try:
            with urlopen(url, timeout=5) as page:
                return str(page.read().decode())
        except URLError:
            try:
                process.wait(0.1)
            except TimeoutExpired:
                continue
            break
    raise AssertionError(f"{url} never answered; exit code {process.returncode}")
