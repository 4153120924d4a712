"""An offer from its file to the order that redeems it, through the worker and the commands."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rekindle.cli import app
from rekindle.clock import MovableClock
from rekindle.desk import (
    Anyway,
    LedgerCustomers,
    Scaffold,
    build_plan,
    create_workspace,
    explain_customer,
    load_standing,
    replay_journey,
    report_offers,
    start_journey,
)
from rekindle.errors import JourneyError, OfferError, PredicateError, TemplateError
from rekindle.journeys import Signal
from rekindle.ledger import disconnect, load_codes
from rekindle.runtime import Workspace
from rekindle.vocabulary import Answer, Money, Reason, SignalKind, Unknown
from rekindle.worker import State, accept_restored, examine, load_overview
from rekindle.worker.redeeming import OfferWatch
from rekindle.worker.watching import FactsRead
from tests.runtime.shops import NOW, Team, add_section

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OFFERS = """\
offers:
  ten: {kind: percent_off, percent: 10, at_most: 20, codes: own, lasts: 5 days}
  shared: {kind: amount_off, amount: 3, codes: shared, code: MUGS}
ladders:
  up: [{offer: shared}, {offer: ten, when: "value_band = 'high'"}]
"""
JOURNEY = """\
journey: giving
enter: {audience: orders_count >= 1 and (customer_id like 'c00_' or customer_id like 'c01_')}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send: {channel: email, template: gift, offer: ten}
"""
MAIL = """\
---
subject: For you
---
<mj-section><mj-column>
<mj-text>{{ offer.text }}, by {{ offer.ends }}: <h1>{{ offer.code }}</h1></mj-text>
<mj-button href="https://shop.example">Shop</mj-button>
</mj-column></mj-section>
"""
SOURCE = """
[[sources]]
name = "till"
table = "orders"
path = "till.csv"

[sources.columns]
order_id = "no"
customer_id = "who"
ordered_at = "at"
gross = "sum"
discount = "off"
discount_code = "code"
status = "state"
"""


@pytest.fixture
def giving(team: Team) -> Team:
    """Return a team whose journey gives ten per cent, with three codes for it."""
    folder = team.folder
    (folder / "offers.yaml").write_text(OFFERS, encoding="utf-8")
    (folder / "journeys" / "giving.yaml").write_text(JOURNEY, encoding="utf-8")
    (folder / "templates" / "gift.mjml").write_text(MAIL, encoding="utf-8")
    add_section(folder, "[offers]\nmargin = 0.5\n" + SOURCE)
    (folder / "codes.txt").write_text("AAA-1\nBBB-2\nCCC-3\n", encoding="utf-8")
    write_till(folder, [("0", "", "2024-01-01T00:00:00+00:00", "1", "0", "", "paid")])
    team.workspace.forget_facts()
    found = Team.at_work(folder)
    found.import_facts()
    return found


def write_till(folder: Path, rows: Sequence[tuple[str, ...]]) -> None:
    with (folder / "till.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("no", "who", "at", "sum", "off", "code", "state"), *rows])


def command(team: Team, *words: str) -> str:
    done = CliRunner().invoke(app, [*words, "--directory", str(team.folder)])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.long
def test_offer_goes_from_its_file_to_the_order_that_redeems_it(giving: Team) -> None:
    command(giving, "offers", "load-codes", "ten", str(giving.folder / "codes.txt"))
    giving.start("giving")
    decided = giving.tick().decided.decisions
    assert decided[Answer.SEND, None] == 3
    assert decided[Answer.HOLD, Reason.NO_CODE] > 0
    mails = giving.mails()
    text = mails[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "10 % off, at most £20.00, by 2024-09-07" in text
    shown = [code for code in ("AAA-1", "BBB-2", "CCC-3") for mail in mails if code in str(mail)]
    assert shown == ["AAA-1", "BBB-2", "CCC-3"]
    assert any(line.about == "offers" for line in load_overview(giving.workspace).problems)

    holder = next(to for to in people(giving) if "AAA-1" in str(giving.mails(f"{to}@")[0]))
    at = (NOW + HOUR).isoformat()
    rows = [("1", holder, at, "40", "4", "aaa-1", "paid"), ("2", "c299", at, "9", "0", "NONE", "")]
    write_till(giving.folder, rows)
    giving.import_facts()
    giving.tick(after=2 * HOUR)
    told = json.loads(command(giving, "offers", "list", "--json"))["offers"][1]
    assert (told["offer"], told["given"], told["redeemed"]) == ("ten", 3, 1)
    assert told["reserved"] == 4 + 20 + 20

    write_till(giving.folder, [(*rows[0][:-1], "cancelled")])
    giving.import_facts()
    giving.tick(after=6 * DAY)
    (_, ten) = load_standing(giving.workspace, giving.clock.now())
    assert (ten.tally.redeemed, ten.tally.lapsed, ten.reserved.micros) == (0, 3, 0)


def people(team: Team) -> list[str]:
    found = team.workspace.history.messages_of("giving")
    return [one.person for one in found]


@pytest.mark.long
def test_a_code_that_is_tied_to_a_visit_goes_to_who_came_to_look(giving: Team) -> None:
    path = giving.folder / "offers.yaml"
    path.write_text(OFFERS.replace("lasts: 5 days", "lasts: 5 days, tied_to: visit"), "utf-8")
    wait = "  - send: {channel: email, template: check-in}\n  - wait: 3 days\n  - send"
    path = giving.folder / "journeys" / "giving.yaml"
    path.write_text(JOURNEY.replace("  - send", wait), encoding="utf-8")
    team = Team.at_work(giving.folder)
    command(team, "offers", "load-codes", "ten", str(team.folder / "codes.txt"))
    record_visit(team, "c001", NOW - DAY)  # long before
    team.start("giving")
    team.tick()
    assert {"c001", "c003"} <= set(people(team))
    team.clock.move(DAY)
    record_visit(team, "c003", team.clock.now())
    team.tick(after=3 * DAY)
    (mail,) = (one for one in team.mails() if "AAA-1" in str(one))
    assert "c003@" in mail["To"]
    skipped = explain_customer(team.workspace, "c001", team.clock.now()).decisions[-1]
    assert (skipped.reason, skipped.detail) == (
        Reason.NO_OFFER,
        "ten is tied to: visit; not seen since they entered",
    )


@pytest.mark.long
def test_an_offer_is_not_tied_to_what_begins_its_journey(giving: Team) -> None:
    path = giving.folder / "offers.yaml"
    path.write_text(OFFERS.replace("lasts: 5 days", "tied_to: visit"), encoding="utf-8")
    path = giving.folder / "journeys" / "giving.yaml"
    path.write_text(JOURNEY.replace("enter: {audience: ", "enter: {on: visit, audience: "), "utf-8")
    space = Workspace.open(giving.folder)
    with pytest.raises(JourneyError, match="begins with visit, and gives ten, which is tied"):
        start_journey(space, space.journey("giving"), NOW)


def record_visit(team: Team, person: str, at: datetime) -> None:
    signal = Signal(person, SignalKind.VISIT, at, f"visit-{person}-{at}")
    team.workspace.book.record([signal], at)


@pytest.mark.long
def test_made_codes_are_in_the_file_for_the_shop_and_in_the_pool(giving: Team) -> None:
    to = giving.folder / "made.csv"
    command(giving, "offers", "make-codes", "ten", "5", "--to", str(to))
    assert len(to.read_text(encoding="utf-8").splitlines()) == 6
    assert "5 of 5" in command(giving, "offers", "list")
    code = to.read_text(encoding="utf-8").splitlines()[3]
    with pytest.raises(OfferError, match="code number 2 was loaded before, for ten"):
        load_codes(giving.workspace.ledger, "ten", ["NEW", code.lower()], NOW + DAY)
    assert "expected to be redeemed" in command(giving, "offers", "show", "ten")


@pytest.mark.long
def test_codes_are_not_loaded_where_a_shop_makes_them(giving: Team) -> None:
    path = giving.folder / "offers.yaml"
    text = path.read_text(encoding="utf-8")
    made = text.replace("percent_off, percent: 10, at_most: 20", "percent_off, percent: 10")
    path.write_text(made.replace("codes: own", "codes: own, made_at: stripe", 1), encoding="utf-8")
    to = giving.folder / "made.csv"
    place = ["-C", str(giving.folder)]
    for words in (["make-codes", "ten", "5", "--to", str(to)],
                  ["load-codes", "ten", str(giving.folder / "codes.txt")]):  # fmt: skip
        answer = CliRunner().invoke(app, ["offers", *words, *place])
        assert answer.exit_code == 1
        assert isinstance(answer.exception, OfferError) or "made at stripe" in answer.output
    assert not to.exists()


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (("gift, offer: ten", "gift, offer: tne"), JourneyError, "did you mean 'ten'?"),
        (
            ("gift, offer: ten", "gift, offer: ladder ten, without_offer: send"),
            JourneyError,
            "it knows up",
        ),
        (("template: gift", "template: check-in"), TemplateError, "does not show"),
        (("margin = 0.5", ""), JourneyError, "set [offers] margin"),
        (("value_band = 'high'", "value_bond = 'high'"), PredicateError, "value_band"),
    ],
)
def test_what_could_never_be_given_is_refused_before_it_starts(
    giving: Team, change: tuple[str, str], error: type[Exception], words: str
) -> None:
    for name in ("offers.yaml", "rekindle.toml", "journeys/giving.yaml"):
        path = giving.folder / name
        text = path.read_text(encoding="utf-8").replace(*change)
        if change[0].startswith("value"):
            text = text.replace("offer: ten}", "offer: ladder up, without_offer: send}")
        path.write_text(text, encoding="utf-8")
    space = Workspace.open(giving.folder)
    with pytest.raises(error, match=words.replace("?", r"\?").replace("[", r"\[")):
        start_journey(space, space.journey("giving"), NOW)


@pytest.mark.long
def test_report_plan_and_explanation_speak_of_the_offers(giving: Team) -> None:
    command(giving, "offers", "load-codes", "ten", str(giving.folder / "codes.txt"))
    journey = giving.folder / "journeys" / "giving.yaml"
    journey.write_text(JOURNEY.replace("holdout: none", "holdout: 0.5"), encoding="utf-8")
    plan = build_plan(giving.workspace, giving.workspace.journey("giving"), NOW)
    (forecast,) = plan.offers
    assert (forecast.offer, forecast.count) == ("ten", plan.touches[Answer.SEND])
    assert forecast.most.micros == forecast.count * 20_000_000
    assert forecast.expected.micros < forecast.most.micros / 9

    giving.start("giving")
    giving.tick()
    (holder, *_) = people(giving)
    found = explain_customer(giving.workspace, holder, NOW)
    (given,) = (one for one in found.offers if one.fate == "open")
    assert given.code in {"AAA-1", "BBB-2", "CCC-3"}
    assert "ten: named by the step" in found.decisions[-1].detail
    asked = {one.asked: one.found for one in found.sent[-1].findings}
    assert asked[Reason.NO_CODE] == f"its code is {given.code}"
    (mine,) = json.loads(LedgerCustomers(giving.workspace).export(holder))["offers"]
    assert (mine["code"], mine["is"]) == (given.code, "open")

    at = NOW + HOUR
    write_till(giving.folder, [("1", holder, at.isoformat(), "40", "4", given.code, "paid")])
    giving.import_facts()
    giving.tick(after=7 * DAY)
    (_, ten) = report_offers(giving.workspace, giving.clock.now())
    assert (ten.standing.tally.redeemed, ten.cost.micros) == (1, 4_000_000)
    assert ten.left == Money(Decimal("16.0000"), "GBP")
    assert isinstance(ten.anyway, Anyway)
    assert (ten.anyway.given.assigned, int(ten.anyway.given.total)) == (3, 1)
    assert ten.anyway.held_out.assigned > 0
    assert isinstance(ten.anyway.lift, Unknown)
    assert "of whom it was for" in command(giving, "offers", "report", "--as-of", "2024-09-10")
    told = json.loads(command(giving, "offers", "report", "--json", "--as-of", "2024-09-10"))
    assert told["offers"][1]["anyway"]["given_bought"] == 1
    assert told["offers"][0]["anyway"] == {"unknown": "nobody's time to redeem it is over yet"}


def test_a_worker_looks_after_offers_before_anything_was_imported(tmp_path: Path) -> None:
    create_workspace(tmp_path / "shop", Scaffold("Shop", "GBP", "UTC"))
    offers = (
        "offers:\n  ten: {kind: percent_off, percent: 10, at_most: 20, codes: own, lasts: 7 days}\n"
    )
    (tmp_path / "shop" / "offers.yaml").write_text(offers, encoding="utf-8")
    space = Workspace.open(tmp_path / "shop", clock=MovableClock(NOW))
    assert OfferWatch(space).look(space.rules, NOW, FactsRead.of(space)).offers.rate("ten") == 0.1
    disconnect(space.ledger)


@pytest.mark.long
def test_replay_says_what_it_would_have_given(giving: Team) -> None:
    report = replay_journey(
        giving.workspace,
        giving.workspace.journey("giving"),
        first=date(2024, 6, 1),
        last=date(2024, 6, 3),
    )
    assert any("would have given ten: " in note for note in report.notes)


@pytest.mark.long
def test_replay_says_whom_it_cannot_reach_by_letter(giving: Team) -> None:
    path = giving.folder / "journeys" / "giving.yaml"
    letter = "  - send: {channel: letter, template: note}\n"
    path.write_text(JOURNEY.partition("  - send")[0] + letter, encoding="utf-8")
    path = giving.folder / "templates" / "note.letter.txt"
    path.write_text("---\ntitle: Hello\n---\nHello.\n", encoding="utf-8")
    day, journey = date(2024, 6, 1), giving.workspace.journey("giving")
    report = replay_journey(giving.workspace, journey, first=day, last=day)
    assert any("Nobody is reached here by letter" in note for note in report.notes)


def test_restored_ledger_gives_no_code_that_may_have_been_given(giving: Team) -> None:
    command(giving, "offers", "load-codes", "ten", str(giving.folder / "codes.txt"))
    giving.start("giving")
    file, copy = (giving.folder / "state" / name for name in ("ledger.sqlite3", "copy"))
    giving.leave()
    shutil.copy(file, copy)
    later = Team.at_work(giving.folder, NOW + HOUR)
    later.tick()
    later.leave()
    for old in giving.folder.glob("state/ledger.sqlite3*"):
        old.unlink()
    shutil.copy(copy, file)
    restored = Team.at_work(giving.folder, NOW + 2 * HOUR)
    done = accept_restored(restored.workspace, who="me")
    assert done is not None
    assert done.codes == 3
    assert "0 of 3" in command(restored, "offers", "list")
    restored.leave()


@pytest.mark.long
def test_a_broken_file_is_in_the_way_of_offers_alone(giving: Team) -> None:
    command(giving, "offers", "load-codes", "ten", str(giving.folder / "codes.txt"))
    giving.start("giving")
    giving.start("calm")
    giving.leave()
    (giving.folder / "offers.yaml").write_text("offers:\n  ten: {percent: ", encoding="utf-8")
    team = Team.at_work(giving.folder)
    decided = team.tick().decided.decisions
    assert decided[Answer.HOLD, Reason.SET_ASIDE] > 0
    assert decided[Answer.SEND, None] > 0
    assert team.workspace.history.messages_of("calm")
    assert not team.workspace.history.messages_of("giving")
    team.workspace.book.record([Signal("c003", SignalKind.OPT_OUT, team.clock.now(), "no")], NOW)
    assert explain_customer(team.workspace, "c003", team.clock.now()).suppressions
    with pytest.raises(OfferError, match=r"offers\.yaml"):
        load_standing(team.workspace, team.clock.now())
    with pytest.raises(OfferError, match=r"offers\.yaml"):
        build_plan(team.workspace, team.workspace.journey("giving"), team.clock.now())
    (wrong,) = [one for one in examine(team.workspace) if one.state is State.REFUSES]
    assert (wrong.about, "offers.yaml" in wrong.found) == ("offers", True)
