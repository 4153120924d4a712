"""Nobody waits for an engine: what a batch needs to know is asked before it is taken."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from django.db import connections

from rekindle.errors import LakeError, QuestionError, RekindleError
from rekindle.facts import Engine
from rekindle.journeys import SlowAudience, UnaskedError
from rekindle.journeys.population import LiveAudience
from rekindle.vocabulary import Reason
from tests.runtime.shops import NOW, Team

CONDITIONAL = """\
journey: conditional
enter: {audience: orders_count >= 1}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - when: average_order_value >= 30
    send: {channel: email, template: check-in}
  - wait: 4 days
  - when: tier = 'lapsed'
    send: {channel: email, template: nudge}
"""


def test_an_engine_is_never_asked_inside_the_ledgers_transaction(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    run = Engine.run

    def recorded(engine: Engine, expression: Any) -> pa.Table:
        asked.append(connections[team.workspace.ledger].in_atomic_block)
        return run(engine, expression)

    path = team.folder / "journeys" / "conditional.yaml"
    path.write_text(CONDITIONAL)
    team.start("conditional")
    monkeypatch.setattr(Engine, "run", recorded)
    team.tick()
    team.tick(after=timedelta(days=5))
    assert len(asked) > 3
    assert not any(asked)
    reasons = {
        reason for one in team.enrolments("conditional") for reason in team.reasons(one.person)
    }
    assert Reason.CONDITION_NOT_MET in reasons


def test_what_was_not_asked_is_named_and_then_known(team: Team) -> None:
    audience = LiveAudience(team.workspace)
    assert isinstance(audience, SlowAudience)
    everyone = audience.matching("true", NOW, ["c001", "c002"])
    with audience.known_only():
        assert audience.matching("true", NOW, ["c001"]) == everyone & {"c001"}
        with pytest.raises(UnaskedError) as unasked:
            audience.matching("orders_count >= 1", NOW, ["c001"])
        with pytest.raises(UnaskedError):
            audience.dates("at_risk_on", NOW, ["c001"])
        with pytest.raises(UnaskedError):
            audience.matching("true", NOW + timedelta(days=2), ["c001"])
    unasked.value.ask()
    with audience.known_only():
        assert audience.matching("orders_count >= 1", NOW, ["c001"]) <= {"c001"}


@pytest.mark.parametrize(
    ("failure", "raised", "times"),
    [
        (LakeError("the facts cannot be read"), LakeError, 2),
        (ArithmeticError("too large"), QuestionError, 1),
    ],
)
def test_only_a_question_without_an_answer_is_not_asked_again(
    failure: Exception,
    raised: type[RekindleError],
    times: int,
    team: Team,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    audience = LiveAudience(team.workspace)
    audience.profiles(NOW)
    asked: list[Any] = []

    def fail(engine: Engine, expression: Any) -> pa.Table:
        asked.append(expression)
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "run", fail)
        for _ in range(2):
            with pytest.raises(raised):
                audience.matching("true", NOW, ["c001"])
    assert len(asked) == times
    if raised is LakeError:
        assert audience.matching("true", NOW, ["c001"]) == {"c001"}
