"""One damaged row, or one question without an answer, harms its own person or journey alone."""

from __future__ import annotations

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest
from django.db import connections

from rekindle.desk import explain_customer, start_journey
from rekindle.facts import Engine
from rekindle.ledger.models import Exclusion, Person
from rekindle.runtime import Workspace
from rekindle.vocabulary import Reason
from tests.seam.corner import HOUR, JOURNEY, MINUTE, Corner

OVERFLOWS = "orders_count <> 777"


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the engine refuse whatever asks for 777, as engines refuse what they cannot run."""
    run = Engine.run

    def refuse(self: Engine, expression: ir.Expr) -> pa.Table:
        if "777" in str(ibis.to_sql(expression, dialect="duckdb")):
            raise duckdb.OutOfRangeException("Out of Range Error: 777 is too much")
        return run(self, expression)

    monkeypatch.setattr(Engine, "run", refuse)


@pytest.fixture
def two(corner: Corner) -> Corner:
    """A shop of two customers, of whom nobody has bought lately."""
    corner.people(ann="yes,", bob="yes,")
    rows = [("o1", "ann", 200), ("o2", "bob", 200), ("o3", "ann", 300), ("o4", "bob", 300)]
    corner.orders(*((i, who, corner.ago(days=days), 50, "") for i, who, days in rows))
    corner.import_facts()
    return corner


def start_second(shop: Corner, text: str) -> None:
    path = shop.space.directory / "journeys" / "other.yaml"
    path.write_text(text.replace("journey: win", "journey: other"), encoding="utf-8")
    start_journey(shop.space, shop.space.journey("other"), shop.now)


@pytest.mark.long
@pytest.mark.usefixtures("limited")
def test_a_journey_whose_audience_has_no_answer_is_closed_alone(two: Corner) -> None:
    start_second(two, JOURNEY.replace("AUDIENCE", OVERFLOWS))
    two.start()
    assert {one.person for one in two.enrolments()} == {"ann", "bob"}
    done = two.tick(after=MINUTE)
    (why,) = done.decided.closed.values()
    assert OVERFLOWS in why
    assert list(done.decided.closed) == ["other"]


@pytest.mark.long
@pytest.mark.usefixtures("limited")
def test_a_condition_without_an_answer_holds_its_own_journey(two: Corner) -> None:
    send = "send: {channel: email, template: check-in}"
    odd = JOURNEY.replace("AUDIENCE", "orders_count >= 1")
    start_second(two, odd.replace(send, f"when: {OVERFLOWS}\n    {send}"))
    two.start()
    two.tick(after=3 * HOUR)
    assert [one.journey for one in two.space.history.set_aside()] == ["other", "other"]
    assert two.mails() == 2


def test_a_damaged_row_holds_its_own_person(two: Corner) -> None:
    two.start()
    alias = two.space.ledger
    at = two.now
    Exclusion.objects.using(alias).create(person_id="ann", kind="odd", at=at)
    Person.objects.using(alias).filter(pk="ann").update(is_noted=True)
    two.tick(after=3 * HOUR)
    (held,) = two.space.history.set_aside()
    assert "'odd' is not a valid Exclusion" in held.detail
    last = two.space.history.decisions_of("ann")[-1]
    assert (last.reason, last.detail) == (Reason.SET_ASIDE, held.detail)
    assert two.mails() == 1


@pytest.mark.long
def test_a_damaged_card_holds_its_own_message(two: Corner) -> None:
    two.start()
    # Both databases keep whatever is JSON there; this is none of names.
    with connections[two.space.ledger].cursor() as cursor:
        cursor.execute("update ledger_person set properties = '[1]' where id = 'ann'")
    two.tick(after=3 * HOUR)
    assert two.mails() == 1
    (waiting,) = [m for m in two.space.history.messages_of("win") if m.error]
    assert (waiting.person, "cannot be read" in waiting.error) == ("ann", True)


@pytest.mark.long
def test_explain_says_what_steps_and_budgets_ask(two: Corner) -> None:
    toml = two.space.directory / "rekindle.toml"
    budget = '\n[[budgets]]\nchannel = "email"\nper_month = 0\n'
    text = toml.read_text(encoding="utf-8").replace("[email]", "[email]\ncost = 1")
    toml.write_text(text + budget, encoding="utf-8")
    two.space = Workspace.open(two.space.directory, clock=two.clock)
    send = "send: {channel: email, template: check-in}"
    asking = JOURNEY.replace(send, f"when: orders_count >= 5 or clicked\n    {send}")
    two.start(text=asking)
    found = explain_customer(two.space, "ann", two.now)
    (step,) = found.steps
    assert (step.journey, step.is_met, step.left_micros) == ("win", False, 0)
    (mail,) = (one for one in found.verdicts if one.channel == "email")
    assert mail.decision.reason is Reason.BUDGET
