"""Nobody waits for an engine: what a batch needs to know is asked before it is taken."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import ibis
import pyarrow as pa
import pytest
from django.db import connections

from rekindle.errors import LakeError, QuestionError, RekindleError
from rekindle.facts import Engine
from rekindle.journeys import SlowAudience, UnaskedError
from rekindle.journeys.population import LiveAudience
from rekindle.profiles import FAMILIES, build_profiles
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


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
def test_the_next_profiles_have_the_columns_that_these_were_asked_for(team: Team) -> None:
    audience = LiveAudience(team.workspace)
    audience.matching("orders_count >= 1", NOW, ["c001"])
    assert {*FAMILIES.names} <= {*audience.profiles(NOW).columns}
    tomorrow = NOW + timedelta(days=1)
    audience.dates("at_risk_on", tomorrow, ["c001"])
    always = {"customer_id", "last_order_at", "last_start_at", "last_purchase_at", "as_of_on"}
    assert "tier" in audience.profiles(tomorrow).columns  # all, for a date was asked for as well
    later = NOW + timedelta(days=2)
    assert {*audience.profiles(later).columns} == always | {"at_risk_on"}
    last = NOW + timedelta(days=3)
    assert {*audience.profiles(last).columns} == always


@pytest.mark.long
def test_columns_that_are_asked_for_later_are_of_the_same_instant(team: Team) -> None:
    space = team.workspace
    audience = LiveAudience(space)
    audience.profiles(NOW)
    morning, evening = NOW + timedelta(days=1), NOW + timedelta(days=1, hours=12)
    day = space.facts.orders.ordered_at
    between = (day >= ibis.literal(morning)) & (day < ibis.literal(evening))
    bought = space.engine.run(space.facts.orders.filter(between).select("customer_id"))
    buyers = set(bought.column(0).to_pylist())
    assert buyers, "nobody bought that day, and the instant cannot be told"
    before = audience.last_orders(morning, buyers)
    found = audience.describe(buyers, evening, FAMILIES.names)
    rows = space.engine.run(build_profiles(space.facts, morning, space.config.lifecycle))
    expected = {row["customer_id"]: row for row in rows.to_pylist()}
    assert found == {person: expected[person] for person in found}
    assert {person: row["last_order_at"] for person, row in found.items()} == before


@pytest.mark.long
def test_a_column_that_was_not_asked_for_is_named_and_then_known(team: Team) -> None:
    audience = LiveAudience(team.workspace)
    audience.profiles(NOW)
    tomorrow = NOW + timedelta(days=1)
    audience.profiles(tomorrow)
    with audience.known_only(), pytest.raises(UnaskedError) as unasked:
        audience.describe(["c001"], tomorrow, ["tier"])
    unasked.value.ask()
    with audience.known_only():
        assert audience.describe(["c001"], tomorrow, ["tier"])["c001"]["tier"]


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
