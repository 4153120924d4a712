"""The page that cancels: one press, what fits better, and when there is nothing to do."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from rekindle.billing import (
    BilledStanding,
    BillerAbilities,
    Instruction,
    InstructionKind,
    find_billers,
)
from rekindle.desk import LedgerCustomers
from rekindle.journeys import Person
from rekindle.ledger import Instructions
from rekindle.testing.biller.world import Refusal
from rekindle.web.portal.app import build_app
from rekindle.web.portal.subscription import serving
from rekindle.worker import InstructionKeeper, examine
from tests.web.leaving.conftest import Away, Leaver
from tests.web.portal.visitor import FakeOptOuts, Visitor


def test_the_first_page_cancels_by_one_press(leaver: Leaver) -> None:
    page = leaver.get()
    for said in (
        "Cancel your subscription?",
        "Gold, $10.00 a month",
        "28 February 2026",
        "In your own words",
    ):
        assert said in page.body
    done = leaver.press(page, "Cancel the subscription")
    assert "Your subscription is cancelled." in done.body
    assert leaver.standing["cancel_at_period_end"] is True
    (row,) = leaver.rows
    assert (row.kind, row.state, row.reason, row.evidence) == ("cancel", "done", "", "touch")
    paid = len(leaver.fake.world.attempts)
    leaver.fake.world.advance(timedelta(days=90))
    assert (leaver.standing["status"], len(leaver.fake.world.attempts)) == ("canceled", paid)
    assert "has ended" in leaver.get().body


def test_a_reason_shows_what_fits_and_cancels_all_the_same(leaver: Leaver) -> None:
    page = leaver.press(leaver.get(), "It costs too much")
    for said in ("Would one of these do?", "Change to Gold, $5.00 a month", "20 % off the next"):
        assert said in page.body
    assert "$30.00" not in page.body
    assert leaver.changes == 0
    leaver.press(page, "Cancel the subscription")
    details = leaver.fake.world.things[leaver.sub]["cancellation_details"]
    assert details["feedback"] == "too_expensive"
    assert leaver.rows[0].reason == "too_expensive"


def test_words_that_were_written_go_along_with_the_button_above(leaver: Leaver) -> None:
    form = "do=why&do=cancel&words=Too+loud."  # as browsers send that button
    leaver.visitor.ask("POST", leaver.link(), form.encode())
    assert (leaver.rows[0].kind, leaver.rows[0].words) == ("cancel", "Too loud.")


def test_words_go_along_and_nothing_in_them_is_obeyed(leaver: Leaver) -> None:
    words = '<b>"Bye"</b>\n\x00 & thanks ' + "x" * 5000
    page = leaver.post("why", reason="bought_elsewhere", words=words)
    assert "<b>" not in page.body
    leaver.press(page, "Cancel the subscription")
    kept = leaver.rows[0].words
    assert (kept[:27], len(kept)) == ('<b>"Bye"</b> & thanks xxxxxx'[:27], 1000)


def test_who_goes_elsewhere_is_kept_by_nothing(leaver: Leaver) -> None:
    page = leaver.press(leaver.get(), "I buy elsewhere now")
    assert "Would one of these do?" not in page.body
    assert "Thank you for telling us." in page.body


def test_a_pause_ends_by_itself_and_charges_nothing_meanwhile(leaver: Leaver) -> None:
    page = leaver.press(leaver.get(), "I need a break")
    done = leaver.press(page, "Pause for 2 months, until 27 April 2026")
    assert "Nothing is charged until 27 April 2026." in done.body
    world, paid = leaver.fake.world, len(leaver.fake.world.attempts)
    world.advance(timedelta(days=85))
    assert (leaver.standing["paused"], len(world.attempts)) == (True, paid)
    world.advance(timedelta(days=10))
    assert (leaver.standing["paused"], len(world.attempts)) == (False, paid + 1)


@pytest.mark.parametrize(
    ("reason", "button", "what", "becomes"),
    [
        ("It costs too much", "Change to Gold", "price", "small"),
        ("It costs too much", "Stay with this offer", "discounts", ""),
    ],
)
def test_what_is_chosen_is_done_once(
    leaver: Leaver, reason: str, button: str, what: str, becomes: str
) -> None:
    page = leaver.press(leaver.get(), reason)
    for _ in range(2):
        leaver.press(page, button)
    assert leaver.changes == 1
    wanted = getattr(leaver, becomes) if becomes else leaver.standing["discounts"]
    assert leaver.standing[what] == wanted
    assert wanted


def test_an_offer_is_made_once_to_a_subscription(leaver: Leaver) -> None:
    page = leaver.press(leaver.get(), "It costs too much")
    leaver.press(page, "Stay with this offer")
    leaver.fake.world.things[leaver.sub]["discounts"] = []  # it was used up
    leaver.space.clock.move(timedelta(days=40))  # type: ignore[attr-defined]
    assert "An offer" not in leaver.press(leaver.get(), "It costs too much").body
    leaver.press(page, "Stay with this offer")
    assert leaver.standing["discounts"] == []


def test_what_is_taken_off_already_stays(leaver: Leaver) -> None:
    world = leaver.fake.world
    held = world._discount({"coupon": leaver.coupon})
    world.things[leaver.sub]["discounts"] = [held]
    assert "An offer" not in leaver.press(leaver.get(), "It costs too much").body
    from rekindle.billing import build_biller

    biller = build_biller(leaver.space.config.billing)
    assert biller is not None
    biller.give(leaver.sub, world.add_coupon()["id"], key="x")
    found = leaver.standing["discounts"]
    assert isinstance(found, list)
    assert (found[0], len(found)) == (held, 2)


def test_a_scanner_changes_nothing(leaver: Leaver) -> None:
    link = leaver.link()
    for method in ("GET", "HEAD", "GET"):
        assert leaver.visitor.ask(method, f"{link}").status == 200
    assert leaver.visitor.ask("GET", link, QUERY_STRING="do=cancel").status == 200
    assert leaver.visitor.ask("DELETE", link).status == 405
    assert (leaver.changes, leaver.rows) == (0, [])


def test_a_link_that_ran_out_was_altered_or_is_for_something_else_does_nothing(
    leaver: Leaver,
) -> None:
    late, altered = leaver.link(days=-1), leaver.link()[:-3] + "AAA"
    assert leaver.post("cancel", late).status == 410
    assert leaver.post("cancel", altered).status == 404
    assert leaver.visitor.ask("GET", leaver.link().replace("/leave/", "/s/")).status == 404
    assert leaver.visitor.ask("POST", leaver.link(), b"a=1&" * 50).status == 400
    assert leaver.changes == 0


def test_pressed_twice_cancels_once(leaver: Leaver) -> None:
    for _ in range(3):
        assert "is cancelled" in leaver.post("cancel").body
    assert (leaver.changes, len(leaver.rows)) == (1, 1)


def test_who_changes_their_mind_twice_is_taken_at_their_last_word(leaver: Leaver) -> None:
    for do, ends in (("cancel", True), ("keep", False), ("cancel", True), ("keep", False)):
        assert leaver.post(do).status == 200
        assert leaver.standing["cancel_at_period_end"] is ends
    assert [row.state for row in leaver.rows] == ["done"] * 4


def test_a_cancellation_that_was_taken_back_elsewhere_may_be_told_again(leaver: Leaver) -> None:
    leaver.post("cancel")
    leaver.fake.world.update_subscription(leaver.sub, {"cancel_at_period_end": "false"})
    leaver.fake.world.clock.move(timedelta(seconds=1))
    leaver.post("cancel")
    assert leaver.standing["cancel_at_period_end"] is True


def test_who_paused_is_told_so_and_may_go_on_or_cancel(leaver: Leaver) -> None:
    leaver.post("pause", value="1")
    page = leaver.get()
    assert "Your subscription is paused." in page.body
    assert "goes on" in leaver.press(page, "Go on now").body
    assert leaver.standing["paused"] is False
    leaver.post("pause", value="1")
    assert "is cancelled" in leaver.press(leaver.get(), "Cancel the subscription").body


@pytest.mark.parametrize(
    ("do", "value"),
    [("pause", "9"), ("pause", "-1"), ("pause", ""), ("plan", "price_gone"), ("plan", "large")],
)
def test_what_no_button_offers_is_not_done(leaver: Leaver, do: str, value: str) -> None:
    value = leaver.large if value == "large" else value
    assert "nothing was done" in leaver.post(do, value=value).body
    assert leaver.changes == 0


def test_a_plan_that_is_gone_by_now_is_said(leaver: Leaver) -> None:
    page = leaver.press(leaver.get(), "It costs too much")
    leaver.fake.world.things[leaver.small]["active"] = False
    assert "nothing was done" in leaver.press(page, "Change to Gold").body
    assert leaver.standing["price"] == leaver.price


def test_what_is_paid_for_longer_than_a_month_is_not_paused(leaver: Leaver) -> None:
    leaver.fake.world.things[leaver.price]["recurring"] = {"interval": "year", "interval_count": 1}
    assert "A pause" not in leaver.press(leaver.get(), "I need a break").body
    leaver.post("pause", value="1")
    assert leaver.standing["paused"] is False


def test_of_who_is_gone_nothing_is_shown(leaver: Leaver) -> None:
    assert leaver.visitor.ask("GET", leaver.link(sub="sub_none")).status == 410
    leaver.space.book.erase(leaver.person, leaver.space.clock.now())
    assert leaver.post("cancel").status == 410
    assert leaver.changes == 0


def test_an_erasure_takes_the_words_and_leaves_what_was_done(leaver: Leaver) -> None:
    leaver.post("cancel", reason="other", words="I am Ada King.")
    leaver.space.book.erase(leaver.person, leaver.space.clock.now())
    (row,) = leaver.rows
    assert (row.words, row.reason, row.state) == ("", "other", "done")


def test_what_somebody_told_is_among_their_data(leaver: Leaver) -> None:
    leaver.post("cancel", reason="unused", words="Too quiet.")
    found = json.loads(LedgerCustomers(leaver.space).export(leaver.person))["instructions"]
    assert [(one["told"], one["reason"], one["words"]) for one in found] == [
        ("cancel", "unused", "Too quiet.")
    ]


def test_what_is_owed_is_said_and_a_cancel_stops_the_asking(leaver: Leaver) -> None:
    world = leaver.fake.world
    world.add_card(leaver.customer, "insufficient_funds")
    world.advance(timedelta(days=29))
    assert "$10.00 is open still" in leaver.get().body
    leaver.post("cancel")
    names = [one.event for one in leaver.space.history.signals_of(leaver.person)]
    assert "payment_dropped" in names


def test_a_biller_that_is_away_loses_no_cancellation(leaver: Leaver, away: Away) -> None:
    away()
    answer = leaver.post("cancel", reason="unused")
    assert (answer.status, "We have noted it." in answer.body) == (202, True)
    assert leaver.post("cancel").status == 202
    assert leaver.get().status == 503
    assert leaver.pass_over() == 0
    leaver.fake.breaks_after = None
    assert "is noted, and is done as soon" in leaver.get().body
    assert leaver.pass_over() == 1
    assert leaver.standing["cancel_at_period_end"] is True
    assert [(row.state, row.reason) for row in leaver.rows] == [("done", "unused")]
    assert leaver.pass_over() == 0


def test_a_biller_that_hangs_holds_up_no_pass(
    leaver: Leaver, away: Away, monkeypatch: pytest.MonkeyPatch
) -> None:
    away()
    leaver.post("cancel")
    leaver.fake.breaks_after = None
    leaver.fake.world.clock.move(timedelta(minutes=6))
    keeper, asked, goes_on = InstructionKeeper(leaver.space), Event(), Event()
    assert keeper._biller is not None
    look = keeper._biller.look

    def hang(subscription: str) -> BilledStanding | None:
        asked.set()
        assert goes_on.wait(60)
        return look(subscription)

    monkeypatch.setattr(keeper._biller, "look", hang)
    keeper.look_soon()
    assert asked.wait(60)
    # No transaction is open while the biller is asked, and a retry sees the word that waits.
    leaver.space.book.save_people([Person("u9")])
    waiting = Instructions(leaver.space.ledger, "stripe").waiting_of(leaver.sub)
    assert waiting is not None
    leaver.fake.world.clock.move(timedelta(minutes=6))
    keeper.look_soon()  # the next pass begins no second one
    goes_on.set()
    keeper.finish()
    assert leaver.changes == 1
    assert [row.state for row in leaver.rows] == ["done"]


def test_of_two_words_that_wait_the_later_is_done(leaver: Leaver, away: Away) -> None:
    away()
    leaver.post("cancel")
    leaver.post("keep")
    leaver.fake.breaks_after = None
    leaver.pass_over()
    leaver.pass_over()
    assert leaver.standing["cancel_at_period_end"] is False
    assert [row.state for row in leaver.rows] == ["overtaken", "done"]


def test_an_answer_that_got_lost_is_no_second_change(leaver: Leaver, away: Away) -> None:
    leaver.fake.breaks_after = 1  # how it stands is told, the change is not answered
    assert leaver.post("cancel").status == 202
    leaver.fake.world.update_subscription(leaver.sub, {"cancel_at_period_end": "true"})
    leaver.fake.breaks_after = None
    changes = leaver.changes
    assert leaver.pass_over() == 1
    assert leaver.changes == changes


def test_a_pause_whose_time_has_passed_is_not_made_late(leaver: Leaver, away: Away) -> None:
    leaver.fake.breaks_after = 1
    leaver.post("pause", value="1")
    leaver.fake.breaks_after = None
    leaver.fake.world.clock.move(timedelta(days=70))
    assert leaver.pass_over() == 0
    assert (leaver.standing["paused"], leaver.rows[0].state) == (False, "moot")


def test_only_the_origins_of_the_settings_may_show_it_in_a_frame(leaver: Leaver) -> None:
    page = leaver.get()
    assert "frame-ancestors https://app.example" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] is None
    other = leaver.visitor.ask("GET", "/")
    assert "frame-ancestors 'none'" in other.headers["Content-Security-Policy"]
    assert other.headers["X-Frame-Options"] == "DENY"


def test_nothing_of_the_person_is_on_the_page_and_every_language_has_it(leaver: Leaver) -> None:
    for language, said in {
        "de": "Ihr Abo kündigen?",
        "fr": "Résilier votre abonnement ?",
        "es": "¿Cancelar su suscripción?",
    }.items():
        page = leaver.get(HTTP_ACCEPT_LANGUAGE=language).body
        assert said in page
        assert [word for word in ("Ada", "ada@", "u1", leaver.customer) if word in page] == []


@pytest.mark.long
def test_doctor_says_what_waits_and_what_could_not_be_done(leaver: Leaver, away: Away) -> None:
    def told() -> str:
        return "\n".join(one.found for one in examine(leaver.space) if one.about == "billing")

    leaver.fake.breaks_after = 1
    leaver.post("pause", value="1")
    assert "of subscribers" not in told()
    leaver.fake.world.clock.move(timedelta(minutes=11))
    assert ": 1 instruction of subscribers" in told()
    leaver.fake.breaks_after = None
    leaver.fake.world.end(leaver.sub)
    leaver.pass_over()
    assert f"1 instruction of subscribers could not be done: pause of {leaver.sub}" in told()
    leaver.fake.world.clock.move(timedelta(days=31))
    assert "of subscribers" not in told()


def test_what_the_biller_cannot_do_is_not_shown(
    leaver: Leaver, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = replace(find_billers()["stripe"], abilities=BillerAbilities())
    monkeypatch.setattr(serving, "find_billers", lambda: {"stripe": folder})
    routes = serving.build_subscription_routes(leaver.space, lambda: "Oak")
    leaver.visitor = Visitor(build_app(FakeOptOuts(), leaver.space.secret).also(routes))
    page = leaver.press(leaver.get(), "It costs too much").body
    assert "Cancel the subscription" in page
    assert [one for one in ("A smaller plan", "An offer", "A pause") if one in page] == []
    assert "nothing was done" in leaver.post("pause", value="1").body
    assert leaver.changes == 0


@pytest.mark.parametrize("status", [403, pytest.param(500, marks=pytest.mark.long)])
def test_one_subscription_the_biller_does_not_show_holds_up_no_other(
    leaver: Leaver, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    world, space = leaver.fake.world, leaver.space
    customer = world.add_customer(user_id="u2", email="b@example.com")["id"]
    world.add_card(customer)
    other = str(world.subscribe(customer, leaver.price)["id"])
    space.book.save_people([Person("u2", "b@example.com")])
    keeper = InstructionKeeper(space)
    for person, subscription in (("u1", leaver.sub), ("u2", other)):  # while it is away
        told = Instruction(subscription, InstructionKind.CANCEL)
        keeper.tell(person, told, None, looked_at=space.clock.now(), evidence="touch")
    find = world.find

    def find_but_one(number: str, kind: str) -> Any:
        if number == leaver.sub:
            raise Refusal(status, "api_error", "permission_denied")
        return find(number, kind)

    monkeypatch.setattr(world, "find", find_but_one)
    world.clock.move(timedelta(minutes=6))
    assert keeper.look() == 1
    assert world.things[other]["cancel_at_period_end"] is True
    waiting = Instructions(space.ledger, "stripe").undone(space.clock.now() - timedelta(days=9))
    assert [one.person for one in waiting] == ["u1"]
    monkeypatch.setattr(world, "find", find)
    world.clock.move(timedelta(hours=2))
    assert keeper.look() == 1
    assert leaver.standing["cancel_at_period_end"] is True
