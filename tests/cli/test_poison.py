"""One bad row, value or person harms itself only: the pass goes on for everybody else."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.journeys import deciding
from rekindle.runtime import Workspace
from rekindle.vocabulary import Answer, Reason
from tests.runtime.databases import postgres_ledger
from tests.runtime.shops import CARD_HEADER, Team, add_section, close_ledgers

HOUR = timedelta(hours=1)
LONG = "x" * 300
BAD = {
    "customer_id": LONG,
    "email": "long@example.com",
    "email_consent": "true",
    "email_consent_at": "2023-01-01T00:00:00+00:00",
}


@pytest.fixture(params=["sqlite", "postgres"])
def team_on(request: pytest.FixtureRequest, shop: Path, tmp_path: Path) -> Iterator[Team]:
    """Yield a team at work in a copy of the shop, once on each database."""
    with ExitStack() as stack:
        folder = tmp_path / "shop"
        Team.copy(shop, folder)
        if request.param == "postgres":
            url = stack.enter_context(postgres_ledger(str(request.getfixturevalue("postgres_url"))))
            add_section(folder, f'[ledger]\nurl = "{url}"\n')
        stack.callback(close_ledgers)
        yield Team.at_work(folder)


def add_card(team: Team, **cells: str) -> None:
    with (team.folder / "customers.csv").open("a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, list(CARD_HEADER)).writerow(
            {**dict.fromkeys(CARD_HEADER, ""), **cells}
        )
    Workspace.open(team.folder, clock=team.clock).import_facts(only=("customers",))


@pytest.mark.long
def test_card_that_no_ledger_can_hold_keeps_nobody_back(team_on: Team) -> None:
    add_card(team_on, **BAD)
    add_card(
        team_on, customer_id="c500", first_name="A\x01da", last_name="\x0b", email="a@b.example"
    )
    team_on.start("few")
    assert team_on.tick().sent.accepted == len(team_on.mails()) >= 5
    refused = [row for row in Workspace.open(team_on.folder).quarantine() if LONG in row["record"]]
    assert [row["reason"] for row in refused] == ["bad_customer_id"]
    card = team_on.workspace.history.person("c500")
    assert card is not None
    assert card.properties == {"first_name": "Ada"}


def test_person_whom_nothing_can_be_decided_about_is_set_aside(
    team_on: Team, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    deciding._told.clear()
    team_on.start("few")
    real = vars(deciding)["decide"]

    def stumbles(context: object) -> object:
        if context.dossier.enrolment.person == "c015":  # type: ignore[attr-defined]
            raise OverflowError("date value out of range")
        return real(context)

    monkeypatch.setattr(deciding, "decide", stumbles)
    with caplog.at_level(logging.ERROR):
        assert team_on.tick().sent.accepted >= 4
        team_on.tick(after=HOUR)
    assert sum("c015 is set aside" in one.message for one in caplog.records) == 1
    (held,) = team_on.workspace.history.set_aside()
    assert (held.answer, held.reason) == (Answer.HOLD, Reason.SET_ASIDE)
    assert "date value out of range" in held.detail
    monkeypatch.undo()
    team_on.tick(after=HOUR)
    assert team_on.workspace.history.decisions_of("c015")[-1].reason is not Reason.SET_ASIDE
