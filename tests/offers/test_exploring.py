"""A ladder gives a part of its offers by chance, writes the chance down, and is judged by it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rekindle.cli import app
from rekindle.desk.offers import judging, reporting
from rekindle.gate import Decision
from rekindle.journeys import Person
from rekindle.ledger import ChosenOffer, OfferWindow, load_chosen, load_first_windows
from rekindle.ledger.offers.models import GivenOffer
from rekindle.testing.book_contract import START, build_enrolment, build_move
from rekindle.testing.book_samples import OFFER, OFFERING, build_offering_version
from rekindle.testing.opened_books import OpenedLedgerBook
from rekindle.vocabulary import Answer, Arm, Reason
from tests.runtime.shops import NOW, Team, add_section

DAY = timedelta(days=1)
OFFERS = """\
offers:
  three: {kind: amount_off, amount: 3, codes: none, lasts: 5 days}
  five: {kind: amount_off, amount: 5, codes: none, lasts: 5 days}
ladders:
  up: [{offer: three}, {offer: five, when: orders_count >= 1}]
"""
JOURNEY = """\
journey: climbing
enter: {audience: orders_count >= 1}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send: {channel: email, template: check-in}
  - wait: 2 days
  - send: {channel: email, template: gift, offer: ladder up}
"""
MAIL = """\
---
subject: For you
---
<mj-section><mj-column><mj-text>{{ offer.text }}</mj-text>
<mj-button href="https://shop.example">Shop</mj-button></mj-column></mj-section>
"""


@pytest.fixture
def exploring(imported_shop: Path, tmp_path: Path) -> Team:
    """A team whose ladder gave offers to everybody, half of them by chance, six weeks ago."""
    folder = tmp_path / "exploring"
    Team.copy(imported_shop, folder)
    (folder / "offers.yaml").write_text(OFFERS, encoding="utf-8")
    (folder / "journeys" / "climbing.yaml").write_text(JOURNEY, encoding="utf-8")
    (folder / "templates" / "gift.mjml").write_text(MAIL, encoding="utf-8")
    add_section(folder, "[offers]\nmargin = 0.5\nexplore = 0.5\nbasket = 40\n")
    team = Team.at_work(folder, NOW)
    team.start("climbing")
    team.tick()
    team.tick(after=2 * DAY + timedelta(hours=1))
    team.clock.move(42 * DAY)
    return team


def judged(team: Team, *words: str) -> dict[str, object]:
    asked = ["offers", "judge", *words, "--json", "--directory", str(team.folder)]
    done = CliRunner().invoke(app, [*asked, "--as-of", team.clock.now().isoformat()])
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.long
def test_ladder_that_explores_is_judged_by_what_it_gave(exploring: Team) -> None:
    chosen = load_chosen(exploring.workspace.ledger, "up", exploring.clock.now(), within=30 * DAY)
    both = [one for one in chosen if len(one.options) == 2]
    assert {one.options for one in both} == {("three", "five")}
    by_chance = [one for one in both if one.offer == "five"]
    assert 0.1 < len(by_chance) / len(both) < 0.4  # a quarter is expected
    assert {(one.offer, one.propensity) for one in both} == {("three", 0.75), ("five", 0.25)}
    found = judged(exploring, "up", "--rule", "strongest")
    assert found["choices"] == len(chosen)
    assert [one["method"] for one in found["values"]] == ["as chosen", "IPS", "SNIPS", "DR"]  # type: ignore[attr-defined]
    assert set(found["gain"]) == {"method", "value", "low", "high"}  # type: ignore[call-overload]
    windows = load_first_windows(exploring.workspace.ledger, exploring.clock.now())
    assert {one.has_followed for one in windows} == {True}
    least = judged(exploring, "up", "--rule", "least")
    assert least["as_the_rule"] == len(chosen) - len(by_chance)


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("down", "--rule", "least"), "has no ladder 'down'; known here: up"),
        (("up", "--rule", "best"), "name least, strongest or one of three, five"),
    ],
)
def test_ladder_or_rule_that_is_not_there_is_refused(
    imported_shop: Path, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    folder = tmp_path / "asked"
    Team.copy(imported_shop, folder)
    (folder / "offers.yaml").write_text(OFFERS, encoding="utf-8")
    done = CliRunner().invoke(app, ["offers", "judge", *words, "--directory", str(folder)])
    assert done.exit_code != 0
    assert why in " ".join(str(done.exception or done.output).split())


def test_ledger_keeps_the_first_choice_of_each_person_with_its_chance(alias: str) -> None:
    book = OpenedLedgerBook(alias, secret=b"secret", terms=OFFERING)
    version = build_offering_version()
    book.start(version)
    name = version.journey.name
    drawn = replace(OFFER, ladder="up", options=("ten-percent", "twenty"), propensity=0.15)
    people = {"given": drawn, "held": drawn, "other": replace(drawn, ladder="down")}
    book.save_people(Person(who, f"{who}@example.com", "GB") for who in people)
    for who, offer in people.items():
        arm = Arm.HOLDOUT if who == "held" else Arm.TREATMENT
        one = replace(build_enrolment(who, journey=name), arm=arm)
        book.enrol([one])
        is_held = arm is Arm.HOLDOUT
        answer = Decision(Answer.SKIP, Reason.HELD_OUT) if is_held else Decision(Answer.SEND)
        book.save([replace(build_move(one, decision=answer), offer=offer)])
    (found,) = load_chosen(alias, "up", START, within=DAY)
    assert (found.person, found.offer, found.options) == ("given", "ten-percent", drawn.options)
    assert (found.propensity, found.off_micros, found.cost_micros) == (0.15, 0, 0)
    assert found.at == START
    assert load_chosen(alias, "up", START - DAY, within=DAY) == []


@pytest.mark.parametrize(
    ("redeemed", "came_to"),
    [
        ({"discount_micros": 7}, (7, 0)),
        ({"discount_micros": None, "cost_micros": 5}, (0, 5)),  # a gift, say
        ({"discount_micros": 7, "redeemed_at": START + DAY}, (0, 0)),
        ({"discount_micros": 7, "is_by_other": True}, (0, 0)),
    ],
)
def test_choice_costs_what_their_own_order_in_those_days_redeemed(
    alias: str, redeemed: dict[str, object], came_to: tuple[int, int]
) -> None:
    book = OpenedLedgerBook(alias, secret=b"secret", terms=OFFERING)
    version = build_offering_version()
    book.start(version)
    book.save_people([Person("given", "given@example.com", "GB")])
    one = build_enrolment("given", journey=version.journey.name)
    book.enrol([one])
    drawn = replace(OFFER, ladder="up", options=("ten-percent", "twenty"), propensity=0.15)
    book.save([replace(build_move(one, decision=Decision(Answer.SEND)), offer=drawn)])
    known = {"state": "redeemed", "redeemed_at": START} | redeemed
    assert GivenOffer.objects.using(alias).filter(person="given").update(**known) == 1
    (found,) = load_chosen(alias, "up", START, within=DAY)
    assert (found.off_micros, found.cost_micros) == came_to


@pytest.mark.parametrize("has_followed", [True, False])
def test_whom_earlier_messages_brought_back_are_missing_on_one_side(has_followed: bool) -> None:
    windows = [
        OfferWindow("ten", f"p{n}", START, START + DAY, n % 2 == 0, has_followed and n == 1)
        for n in range(200)
    ]
    found = reporting.find_anyway("ten", windows, frozenset(range(40)))
    assert isinstance(found, reporting.Anyway)
    assert (found.given.total, found.held_out.total) == (20, 20)
    assert (found.lift == reporting.AFTER_OTHERS) is has_followed


def test_gift_is_taken_off_whole_and_of_a_reduction_only_what_it_left_no_margin_of() -> None:
    taken = ChosenOffer("p", "five", ("five",), 1.0, START)
    assert judging.worth_of(taken, 35.0, 0.5) == 17.5
    # 40 of goods for 35: half of 40 is margin, and 5 came off. A gift of 5 beside 40 for 40.
    assert judging.worth_of(replace(taken, off_micros=5_000_000), 35.0, 0.5) == 15
    assert judging.worth_of(replace(taken, cost_micros=5_000_000), 40.0, 0.5) == 15
