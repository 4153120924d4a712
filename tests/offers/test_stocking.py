"""Codes that a shop makes: killed anywhere, none twice, none unknown there, none left over."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from rekindle.channels.asking import Asker
from rekindle.consent import ConsentRecord
from rekindle.gate import BookRules, HouseRules
from rekindle.journeys import JourneyEngine, JourneyVersion, Person, parse_journey
from rekindle.ledger import (
    LedgerBook,
    Pool,
    claim_asked,
    claim_ending,
    count_codes,
    draw_shop_codes,
    drop_asked,
    load_codes,
    load_shop_troubles,
    note_ended,
    note_made,
    set_codes_aside,
    set_unwanted_aside,
)
from rekindle.ledger.offers.giving import take_offers_back
from rekindle.ledger.offers.models import GivenOffer, OfferCode
from rekindle.ledger.offers.stocking import LEASE
from rekindle.ledger.queries import ledger_transaction
from rekindle.offers import HouseOffers, Offers, parse_offers
from rekindle.testing.audiences import FixedAudience
from rekindle.vocabulary import Answer as Verdict
from rekindle.vocabulary import Channel, Reason
from rekindle.worker import State, examine
from rekindle.worker.keeping import stocking
from rekindle.worker.keeping.stocking import keep_stock
from tests.ledger.queueing import DAY, START
from tests.offers.test_whole_loop import JOURNEY, MAIL
from tests.runtime.shops import Team, add_section
from tests.servers.recording import Answer, Fault, Recorded, RecordingServer
from tests.servers.shops import TOKEN, Till, serve_shopify

HOUR = timedelta(hours=1)


def offers_file(amount: int) -> str:
    terms = f"kind: amount_off, amount: {amount}, codes: own, made_at: shopify, lasts: 7 days"
    return f"offers: {{ten: {{{terms}}}}}"


OFFERS = parse_offers(offers_file(10))
KEY = OFFERS.terms["ten"].made_for


# The ledger alone, on both databases


def stock(alias: str, count: int = 2) -> list[OfferCode]:
    draw_shop_codes(alias, "ten", KEY, START, ahead=count, most=count)
    for one in claim_asked(alias, "shopify", START, limit=count):
        assert note_made(alias, one, f"gid/{one.code}")
    return codes(alias)


def codes(alias: str) -> list[OfferCode]:
    return list(OfferCode.objects.using(alias).order_by("pk"))


def give(alias: str, people: int) -> Counter[tuple[Verdict, Reason | None]]:
    """Let a journey give the offer to so many people."""
    terms = BookRules(soft_opt_in=True, offers=OFFERS, offer_wait=60 * DAY)
    book = LedgerBook(alias, secret=b"s", terms=terms)
    names = [f"p{number}" for number in range(people)]
    book.save_people(Person(one, f"{one}@example.com", "GB") for one in names)
    book.save_consent(
        ConsentRecord(one, Channel("email"), True, START - DAY, "form") for one in names
    )
    journey = parse_journey(
        "{journey: j, enter: {audience: 'true'}, goal: {on: order, within: 30 days}, holdout: none,"
        " steps: [send: {channel: email, template: hello, offer: ten}]}"
    )
    book.start(JourneyVersion(journey, 1, 0.0, "j", START))
    house = HouseOffers(OFFERS, Decimal("0.5"), Decimal(0), 60 * DAY, Decimal(100))
    engine = JourneyEngine(book, FixedAudience(names), rules=HouseRules(offers=house), cost={})
    return Counter(engine.tick(START).decisions)


def test_a_code_is_free_once_the_shop_has_it_and_not_before(alias: str) -> None:
    assert draw_shop_codes(alias, "ten", KEY, START, ahead=3, most=2) == 2
    assert draw_shop_codes(alias, "ten", KEY, START, ahead=3, most=9) == 1
    assert give(alias, 1) == {(Verdict.HOLD, Reason.NO_CODE): 1}
    asked = claim_asked(alias, "shopify", START, limit=9)
    assert claim_asked(alias, "shopify", START + HOUR / 10, limit=9) == []
    assert note_made(alias, asked[0], "gid/1")
    assert not note_made(alias, asked[0], "gid/1")
    drop_asked(alias, asked[1])
    assert draw_shop_codes(alias, "ten", KEY, START, ahead=3, most=9) == 1
    # Whoever claimed the third was killed: after the lease the same code is asked for.
    again = {one.code for one in claim_asked(alias, "shopify", START + LEASE, limit=9)}
    assert asked[2].code in again
    assert count_codes(alias, OFFERS)["ten"].free == 1


def test_codes_that_are_worth_something_else_are_not_counted(alias: str) -> None:
    """Nobody is given them, so whoever counts them thinks there are some left."""
    stock(alias, 2)
    load_codes(alias, "ten", ["LOADED-1"], START)
    assert count_codes(alias, OFFERS) == {"ten": Pool(2, 2)}
    assert count_codes(alias, parse_offers(offers_file(5))) == {}
    assert count_codes(alias, Offers()) == {}


def test_pool_that_runs_dry_in_a_batch_gives_each_code_once(alias: str) -> None:
    stock(alias, 2)
    assert give(alias, 3) == {(Verdict.SEND, None): 2, (Verdict.HOLD, Reason.NO_CODE): 1}
    given = [one.code for one in GivenOffer.objects.using(alias).all()]
    assert sorted(given) == sorted(one.code for one in codes(alias))


def test_what_ran_out_is_ended_and_never_free_again(alias: str) -> None:
    stock(alias, 2)
    give(alias, 1)
    assert claim_ending(alias, "shopify", START + 6 * DAY, limit=9) == []
    (one,) = claim_ending(alias, "shopify", START + 9 * DAY, limit=9)
    # The message is cancelled after all, as one that waited beyond the offer's end is.
    (given,) = GivenOffer.objects.using(alias).all()
    with ledger_transaction(alias):
        take_offers_back(alias, [given.touch])
    assert count_codes(alias, OFFERS)["ten"].free == 1
    note_ended(alias, one)
    assert [row.standing for row in codes(alias) if row.code == given.code] == ["ended"]
    assert claim_ending(alias, "shopify", START + 99 * DAY, limit=9) == []


def test_codes_made_for_other_terms_are_ended_and_not_given(alias: str) -> None:
    stock(alias, 2)
    OfferCode.objects.using(alias).update(made_for="shopify:before")
    assert give(alias, 1) == {(Verdict.HOLD, Reason.NO_CODE): 1}
    draw_shop_codes(alias, "ten", "shopify:before", START, ahead=3, most=1)
    draw_shop_codes(alias, "ten", KEY, START, ahead=1, most=1)
    assert set_unwanted_aside(alias, {"ten": KEY}) == 3
    assert len(claim_ending(alias, "shopify", START, limit=9)) == 3
    assert len(claim_asked(alias, "shopify", START, limit=9)) == 1


def test_restored_ledger_gives_nothing_that_a_shop_may_have_made_since(alias: str) -> None:
    stock(alias, 1)
    draw_shop_codes(alias, "ten", KEY, START, ahead=2, most=1)
    assert set_codes_aside(alias) == 1
    assert claim_asked(alias, "shopify", START, limit=9) == []
    assert len(claim_ending(alias, "shopify", START, limit=9)) == 2


# The worker and a shop


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


@pytest.fixture
def till(server: RecordingServer) -> Till:
    return serve_shopify(server)


@pytest.fixture
def selling(
    team: Team, server: RecordingServer, till: Till, monkeypatch: pytest.MonkeyPatch
) -> Team:
    """Return a team whose journey gives an offer to three people with codes made at a shop."""
    folder = team.folder
    (folder / "offers.yaml").write_text(offers_file(3), encoding="utf-8")
    journey = JOURNEY.replace(" or customer_id like 'c01_'", "")
    (folder / "journeys" / "giving.yaml").write_text(journey, encoding="utf-8")
    (folder / "templates" / "gift.mjml").write_text(MAIL, encoding="utf-8")
    made_at = f'[offers.made_at]\nshopify = "{server.url}"\n'
    add_section(folder, f"[offers]\nmargin = 0.5\nahead = 4\n{made_at}")
    monkeypatch.setenv("REKINDLE_SHOPIFY_TOKEN", TOKEN)
    team.workspace.forget_facts()
    return Team.at_work(folder)


def shown(team: Team, till: Till) -> list[str]:
    """Return the codes in mails, each as often as it stands in one."""
    texts = [str(mail) for mail in team.mails()]
    return [one.code for one in till.codes for text in texts if one.code in text]


@pytest.mark.long
def test_codes_are_made_given_and_ended_through_the_worker(selling: Team, till: Till) -> None:
    selling.start("giving")
    selling.tick()
    first = shown(selling, till)
    assert first
    assert len(first) == len(set(first))
    selling.tick(after=HOUR)
    assert len(till.active()) <= 4 + len(shown(selling, till))
    selling.tick(after=9 * DAY)
    assert not till.active() & set(first)
    assert len(till.active()) == 4


@pytest.mark.long
def test_wherever_the_worker_is_killed_no_code_is_lost_or_twice(
    selling: Team, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, draw = Asker.ask, Random(1)

    def dying(self: Asker, *args: object, **more: object) -> object:
        if draw.random() < 0.5:
            raise Killed  # before the shop hears of it
        answer = ask(self, *args, **more)  # type: ignore[arg-type]
        if draw.random() < 0.5:
            raise Killed  # after it did what it was asked
        return answer

    monkeypatch.setattr(Asker, "ask", dying)
    # Who is killed tidies nothing up.
    monkeypatch.setattr(stocking, "let_codes_go", lambda alias, codes: None)
    deaths = 0
    for _ in range(60):
        try:
            keep_stock(selling.workspace)
        except Killed:
            deaths += 1
        selling.clock.move(LEASE)
    assert deaths > 3
    pool = codes(selling.workspace.ledger)
    assert sorted(one.code for one in till.codes) == sorted(one.code for one in pool)
    assert [one.standing for one in pool] == ["made"] * 4
    assert {one.shop_name: one.code for one in pool} == {x.name: x.code for x in till.codes}


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize(
    "answer",
    [
        Answer(503, "down for maintenance"),
        Answer(200, {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}),
        Answer(401, {"errors": f"{TOKEN} is wrong"}),
        Answer(fault=Fault.BREAKS_OFF),
    ],
)
def test_while_the_shop_is_away_messages_wait_and_the_team_is_told(
    selling: Team, till: Till, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    till.before = lambda request: answer
    selling.start("giving")
    decided = selling.tick().decided.decisions
    assert decided[Verdict.SEND, None] == 0
    assert decided[Verdict.HOLD, Reason.NO_CODE] > 0
    (trouble,) = load_shop_troubles(selling.workspace.ledger)
    lines = [line for line in examine(selling.workspace) if line.about == "shops"]
    assert lines[0].state is State.WARNS
    assert "could not be made at shopify" in lines[0].found
    assert TOKEN not in f"{trouble} {lines} {caplog.text}"
    till.before = lambda request: None
    selling.tick(after=HOUR)
    assert load_shop_troubles(selling.workspace.ledger) == []
    selling.tick(after=6 * HOUR)
    assert shown(selling, till)


@pytest.mark.long
def test_a_code_that_cannot_be_ended_is_told_and_tried_again(selling: Team, till: Till) -> None:
    selling.start("giving")
    selling.tick()
    given = set(shown(selling, till))

    def refuse(request: Recorded) -> Answer | None:
        if b"discountCodeDeactivate" not in request.body:
            return None
        errors = [{"code": "INTERNAL_ERROR", "message": "not now"}]
        return Answer(200, {"data": {"done": {"codeDiscountNode": None, "userErrors": errors}}})

    till.before = refuse
    selling.tick(after=9 * DAY)
    (line, *_) = [one for one in examine(selling.workspace) if one.about == "shops"]
    assert "could not be ended at shopify: Shopify does not end the code: not now" in line.found
    till.before = lambda request: None
    selling.tick(after=HOUR)
    assert not till.active() & given


@pytest.mark.long
def test_an_offer_that_changes_is_given_with_codes_worth_what_it_says(
    selling: Team, till: Till
) -> None:
    keep_stock(selling.workspace)
    before = till.active()
    path = selling.folder / "offers.yaml"
    path.write_text(offers_file(5), encoding="utf-8")
    selling = Team.at_work(selling.folder)
    selling.start("giving")
    selling.tick()
    worth = {one.code: one.given["customerGets"]["value"] for one in till.codes}
    assert shown(selling, till)
    for code in shown(selling, till):
        assert worth[code]["discountAmount"]["amount"] == "5"
    assert not till.active() & before


def test_doctor_tries_the_key(selling: Team, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    def said() -> list[str]:
        found = examine(selling.workspace, looks_outside=True)
        return [line.found for line in found if line.about == "shops"]

    keep_stock(selling.workspace)
    assert said() == ["shopify answers: Mugs, in GBP"]
    monkeypatch.setenv("REKINDLE_SHOPIFY_TOKEN", "")
    assert "REKINDLE_SHOPIFY_TOKEN is empty" in said()[-1]
