"""A no stands, whichever file came last and whatever else its row says."""

from __future__ import annotations

import re
from copy import copy
from typing import Any
from urllib.parse import urlencode

import pytest

from rekindle.consent import sign_preferences
from rekindle.desk.permission.choosing import LedgerCustomers
from rekindle.desk.permission.opting_out import LedgerOptOuts
from rekindle.journeys.population import LiveAudience
from rekindle.ledger.models import Consent
from rekindle.runtime import Workspace
from rekindle.web.portal import build_portal
from tests.seam.corner import DAY, HOUR, MINUTE, Corner
from tests.web.portal.visitor import Visitor


@pytest.fixture
def win(corner: Corner) -> Corner:
    """A shop whose only customer is in a journey that writes in two hours."""
    corner.orders(("o1", "ann", corner.ago(days=200), 50, "completed"))
    corner.people(ann=f"yes,{corner.ago(days=300).date()}")
    corner.import_facts()
    corner.start()
    assert corner.ended() == [None]
    return corner


def may_be_written_to(shop: Corner) -> bool:
    """Let the message fall due; return whether it left."""
    before = shop.mails()
    shop.tick(after=3 * HOUR)
    return shop.mails() > before


@pytest.mark.long
def test_a_yes_is_enough(win: Corner) -> None:
    assert may_be_written_to(win)


@pytest.mark.long
def test_an_unchanged_file_does_not_override_a_withdrawal(corner: Corner) -> None:
    corner.orders(("o1", "ann", corner.ago(days=200), 50, "completed"))
    corner.people(ann="yes,")
    corner.import_facts()
    corner.start()
    corner.report("", "identify", traits={"consent": {"email": False}})
    for _ in range(3):
        corner.clock.move(MINUTE)
        corner.import_facts()
        corner.tick()
    assert not may_be_written_to(corner)
    assert Consent.objects.using(corner.space.ledger).count() == 2


@pytest.mark.parametrize(
    ("word", "address", "is_known"),
    [
        ("no", "ann@example.com", True),
        pytest.param("perhaps", "ANN@Example.com ", True, marks=pytest.mark.long),
        pytest.param("no", "nobody@example.com", False, marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("later", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_no_of_an_address_counts_without_a_customer_number(
    win: Corner, word: str, address: str, is_known: bool, later: bool
) -> None:
    """Whoever signed up for a newsletter has no number in the shop, and may be a customer."""
    known = f"ann,ann@example.com,,yes,{win.ago(days=300).date()}"
    rows = [f",{address},,{word},"] if later else [known, f",{address},,{word},"]
    text = "\n".join(["who,email,since,ok,ok_at", *rows, ""])
    (win.space.directory / "people.csv").write_text(text, encoding="utf-8")
    notes = [note for one in win.import_facts() for note in one.notes]
    assert sum("addresses that nobody here has" in note for note in notes) == (not is_known)
    assert may_be_written_to(win) is not is_known


EVENTS = """
[[sources]]
name = "tool"
table = "events"
path = "events.csv"
[sources.columns]
event_id = "id"
customer_id = "who"
event = "event"
occurred_at = "at"
"""


@pytest.mark.parametrize(
    ("event", "days_ago", "is_no"),
    [
        ("Unsubscribed", 9, True),
        pytest.param("email_marked_as_spam", 9, True, marks=pytest.mark.long),
        # A later yes is newer than it.
        pytest.param("unsubscribed", 400, False, marks=pytest.mark.long),
        pytest.param("cart_abandoned", 9, False, marks=pytest.mark.long),
    ],
)
def test_who_left_by_an_event_of_a_file_is_not_written_to(
    win: Corner, event: str, days_ago: int, is_no: bool
) -> None:
    folder = win.space.directory
    at = win.ago(days=days_ago).isoformat()
    (folder / "events.csv").write_text(f"id,who,event,at\n1,ann,{event},{at}\n", encoding="utf-8")
    toml = folder / "rekindle.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + EVENTS, encoding="utf-8")
    shop = copy(win)
    shop.space = Workspace.open(folder, clock=win.clock)
    shop.import_facts()
    win.space.forget_facts()
    assert may_be_written_to(win) is not is_no
    said = {str(one.channel) for one in win.space.history.consents_of("ann") if not one.granted}
    assert said == ({"push", "webhook", "sms", *said} if is_no or days_ago > 300 else set())


@pytest.mark.long
def test_a_yes_without_a_customer_number_is_nobodys(corner: Corner) -> None:
    corner.orders(("o1", "ann", corner.ago(days=200), 50, "completed"))
    text = "who,email,since,ok,ok_at\nann,ann@example.com,,,\n,ann@example.com,,yes,\n"
    (corner.space.directory / "people.csv").write_text(text, encoding="utf-8")
    corner.import_facts()
    corner.start()
    assert not may_be_written_to(corner)


def test_a_no_that_is_imported_while_a_pass_works_its_profiles_out_counts(
    win: Corner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another process imported then was taken for read, and no later pass looked again."""
    compute, shop = LiveAudience._compute, copy(win)
    shop.space = Workspace.open(win.space.directory, clock=win.clock)
    coming = [f"no,{win.now.isoformat()}"]

    def interrupted(audience: LiveAudience, *given: Any) -> None:
        compute(audience, *given)
        if coming:
            shop.people(ann=coming.pop())
            shop.import_facts()

    monkeypatch.setattr(LiveAudience, "_compute", interrupted)
    win.clock.move(MINUTE)
    win.orders(("o1", "ann", win.ago(days=200), 50, "completed"), ("o2", "bob", win.now, 5, "paid"))
    win.import_facts()
    win.tick()
    assert not coming
    assert not may_be_written_to(win)


@pytest.mark.draws(1)
@pytest.mark.parametrize("said", ["no,;31/02/2020", "no,2035-01-01"])
def test_a_no_counts_also_from_a_bad_row(win: Corner, said: str) -> None:
    win.clock.move(MINUTE)
    win.people(ann=said)
    win.import_facts()
    assert not may_be_written_to(win)


@pytest.mark.long
def test_a_word_nobody_reads_holds_back_and_is_named(win: Corner) -> None:
    win.people(ann="perhaps,")
    win.import_facts()
    assert not may_be_written_to(win)
    (said,) = (one for one in win.space.history.consents_of("ann") if not one.granted)
    assert "'perhaps' is neither yes nor no" in said.wording


@pytest.mark.long
def test_a_no_of_somebody_without_a_card_is_kept_for_the_day_they_get_one(win: Corner) -> None:
    win.people(ann=f"yes,{win.ago(days=300).date()}", bob="no,;31/02/2020")
    win.import_facts()
    win.tick()
    win.people(bob="yes,2020-01-01")
    win.import_facts()
    win.tick(after=DAY)
    assert [one.granted for one in win.space.history.consents_of("bob")] == [True, False]


@pytest.mark.long
def test_a_no_of_a_row_that_is_broken_counts_in_a_column_of_opt_outs(win: Corner) -> None:
    settings = win.space.directory / "rekindle.toml"
    text = settings.read_text(encoding="utf-8")
    wanted = 'email_opt_out = "ok"\nfirst_name = "since"'
    text = text.replace('email_consent = "ok"\nemail_consent_at = "ok_at"', wanted)
    settings.write_text(text.replace('created_at = "since"\n', ""), encoding="utf-8")
    people = win.space.directory / "people.csv"
    people.write_text("who,email,since,ok\nann,ann@example.com,Ada, Countess,yes\n")
    again = win.reopened()
    again.import_facts()
    assert not may_be_written_to(again)


@pytest.mark.long
def test_whoever_leaves_by_link_again_after_a_yes_has_left(win: Corner) -> None:
    links, customers = LedgerOptOuts(win.space), LedgerCustomers(win.space)
    links.unsubscribe("ann", "win", at_source="test", channel="email")
    win.clock.move(MINUTE)
    customers.choose("ann", {"email": True}, {}, None, {"email": "News"})
    win.clock.move(MINUTE)
    links.unsubscribe("ann", "win", at_source="test", channel="email")
    assert not win.space.history.consents_of("ann")[-1].granted


def test_a_page_of_wishes_that_was_open_takes_back_no_withdrawal(win: Corner) -> None:
    visitor, space = Visitor(build_portal(win.space)), win.space
    page = f"/p/{sign_preferences(space.secret, 'ann', win.clock.now())}"
    shown = visitor.ask("GET", page).body
    fields = re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]+)"', shown)
    win.clock.move(MINUTE)
    LedgerOptOuts(space).unsubscribe("ann", "win", at_source="test", channel="email")
    win.clock.move(MINUTE)
    form = urlencode([*fields, ("channel", "email"), ("often", "month")])
    assert visitor.ask("POST", page, form.encode()).status == 303
    assert space.history.preferences_of("ann").at_most_every == 30 * DAY
    assert not may_be_written_to(win)


@pytest.mark.long
def test_a_yes_that_arrives_late_is_older_than_the_no_that_was_repeated(win: Corner) -> None:
    for days, may in ((5, False), (1, False), (3, True)):
        said = {"consent": {"email": may, "wording": "Yes" if may else ""}}
        at = win.ago(days=days).isoformat()
        win.report("", "identify", traits=said, timestamp=at, messageId=f"m{days}")
    assert [one.granted for one in win.space.history.consents_of("ann")][-1] is False
    assert not may_be_written_to(win)


@pytest.mark.long
def test_a_no_repeated_at_every_login_fills_no_table(win: Corner) -> None:
    for number in range(5):
        win.clock.move(MINUTE)
        win.report("", "identify", traits={"consent": {"email": False}}, messageId=f"m{number}")
    assert len(win.space.history.consents_of("ann")) == 2


@pytest.mark.long
def test_the_last_of_a_day_counts_of_calls_without_a_key_and_a_time(win: Corner) -> None:
    for may in (False, True, False):
        win.clock.move(MINUTE)
        win.report("", "identify", traits={"consent": {"email": may, "wording": "News"}})
    assert not win.space.history.consents_of("ann")[-1].granted


@pytest.mark.long
def test_a_yes_of_a_wrong_day_does_not_win_over_a_no_once_it_is_corrected(win: Corner) -> None:
    def said(days: float) -> None:
        win.people(ann=f"yes,{win.ago(days=days).date()}")
        win.import_facts()
        win.tick(after=MINUTE)

    stop = {"traits": {"consent": {"email": False}}, "timestamp": win.ago(days=30).isoformat()}
    said(300)
    win.report("", "identify", **stop)
    win.tick(after=MINUTE)
    said(10)  # the day and the month were the wrong way round
    asked = win.space.history.consents_of("ann")
    assert [one.granted for one in asked] == [True, False, True]
    said(300)
    assert [one.granted for one in win.space.history.consents_of("ann")] == [True, False]
    assert Consent.objects.using(win.space.ledger).filter(channel__startswith="-").count() == 1
    assert not may_be_written_to(win)
    said(5)  # and where it says so for good, it does
    assert [one.granted for one in win.space.history.consents_of("ann")] == [True, False, True]


@pytest.mark.long
def test_a_yes_of_a_wrong_column_lets_nobody_be_written_to(corner: Corner) -> None:
    corner.orders(("o1", "ann", corner.ago(days=200), 50, "completed"))
    corner.people(ann="yes,")
    corner.import_facts()
    corner.start()
    toml = corner.space.directory / "rekindle.toml"
    text = toml.read_text(encoding="utf-8").replace('consent = "ok"', 'consent = "since"')
    toml.write_text(text, encoding="utf-8")
    shop = corner.reopened()
    shop.clock.move(MINUTE)
    shop.import_facts()
    assert not may_be_written_to(shop)
    assert shop.space.history.consents_of("ann") == []
