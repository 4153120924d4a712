"""The preference centre: what it shows, does, refuses and asks twice."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from rekindle.consent import LinkPurpose, PendingState, PersonLink, sign_link, sign_preferences
from rekindle.errors import LedgerError
from rekindle.feedback import LeaveReason
from rekindle.web.portal import build_app
from rekindle.web.portal.interfaces import Choices, Chosen, Question
from tests.web.portal.conftest import SECRET
from tests.web.portal.visitor import FakeOptOuts, Visitor

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass
class FakeCustomers:
    """Remembers what was asked for, and fails on request."""

    choices: Choices | None = field(
        default_factory=lambda: Choices(
            {"email": True, "sms": False}, {"news": True, "sales": False}, 30, None, "GB"
        )
    )
    at: datetime = NOW
    did: list[tuple[object, ...]] = field(default_factory=list)
    is_broken: bool = False
    asked: Question | None = field(
        default_factory=lambda: Question(PendingState.OPEN, "email", "Yes, <news>", "GB")
    )

    def now(self) -> datetime:
        return self.at

    def knows(self, person: str) -> bool:
        return self.look(person) is not None

    def country_of(self, person: str) -> str | None:
        choices = self.look(person)
        return None if choices is None else choices.country

    def look(self, person: str) -> Choices | None:
        return self.choices if person == "bob" else None

    def choose(self, person: str, wish: Chosen) -> None:
        self._do("choose", person, wish)

    def snooze(self, person: str, until: datetime | None) -> None:
        self._do("snooze", person, until)

    def leave(self, person: str) -> None:
        self._do("leave", person)

    def answer(self, person: str, reason: LeaveReason, words: str) -> None:
        self._do("answer", person, reason, words)

    def question(self, person: str, about: str) -> Question | None:
        return self.asked if (person, about) == ("bob", "") else None

    def confirm(self, person: str, about: str, words: str) -> Question | None:
        before = self.asked
        if before and before.state is PendingState.OPEN:
            self._do("confirm", person, words)
            self.asked = replace(before, state=PendingState.CONFIRMED)
        return before

    def export(self, person: str) -> str:
        self._do("export", person)
        return json.dumps({"person": person})

    def erase(self, person: str) -> None:
        self._do("erase", person)
        self.choices = None

    def _do(self, *what: object) -> None:
        if self.is_broken:
            raise LedgerError("the ledger is away")
        self.did.append(what)


@pytest.fixture
def customers() -> FakeCustomers:
    return FakeCustomers()


@pytest.fixture
def visitor(opt_outs: FakeOptOuts, customers: FakeCustomers) -> Visitor:
    return Visitor(build_app(opt_outs, SECRET, customers=customers))


@pytest.fixture
def page() -> str:
    return f"/p/{sign_preferences(SECRET, 'bob', NOW)}"


def signed(purpose: LinkPurpose, until: datetime, person: str = "bob") -> str:
    return sign_link(SECRET, purpose, PersonLink(person, until))


def test_the_page_shows_what_somebody_gets(visitor: Visitor, page: str) -> None:
    answer = visitor.ask("GET", page)
    assert answer.status == 200
    assert 'value="email" checked>' in answer.body
    assert 'value="sms">' in answer.body
    assert 'value="month" checked>' in answer.body
    assert 'value="news" checked>' in answer.body
    assert "Yes, Alice’s Gifts may send me marketing by text message" in answer.body


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
@pytest.mark.parametrize("purpose", list(LinkPurpose))
def test_only_a_post_changes_anything(
    visitor: Visitor, customers: FakeCustomers, method: str, purpose: LinkPurpose
) -> None:
    place = "p" if purpose is LinkPurpose.PREFERENCES else purpose.value
    visitor.ask(method, f"/{place}/{signed(purpose, NOW + DAY)}", b"do=leave")
    assert customers.did == []


def test_what_is_chosen_is_done_with_the_exact_words(
    visitor: Visitor, customers: FakeCustomers, page: str
) -> None:
    body = b"do=save&shown=email&shown=sms&channel=sms&often=week&told=news&told=sales&topic=sales"
    answer = visitor.ask("POST", page, body)
    assert (answer.status, answer.headers["Location"]) == (303, "?saved")
    words = {
        name: f"Yes, Alice’s Gifts may send me marketing by {called} until I say otherwise."
        for name, called in (("email", "email"), ("sms", "text message"))
    }
    wish = Chosen({"email": False, "sms": True}, {"news": False, "sales": True}, 7, words)
    assert customers.did == [("choose", "bob", wish)]
    assert "Saved" in visitor.ask("GET", page, QUERY_STRING="saved").body


def test_a_box_that_stands_as_it_was_shown_states_nothing(
    visitor: Visitor, customers: FakeCustomers, page: str
) -> None:
    """Somebody may have left by a message while the page was open."""
    shown = visitor.ask("GET", page).body
    hidden = re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]+)"', shown)
    fields = [one for one in hidden if one[0] != "do"]
    assert ("channel_was", "email") in fields
    ticked = [("channel", "email"), ("channel", "sms"), ("often", "month"), ("topic", "news")]
    customers.choices = Choices({"email": False, "sms": False}, {"news": False}, every_days=90)
    visitor.ask("POST", page, urlencode([*fields, *ticked]).encode())
    ((_, _, wish),) = customers.did
    assert isinstance(wish, Chosen)
    assert (wish.channels, wish.topics, wish.every_days) == ({"sms": True}, {}, 90)


def test_what_was_not_shown_cannot_be_chosen(
    visitor: Visitor, customers: FakeCustomers, page: str
) -> None:
    visitor.ask("POST", page, b"shown=push&channel=push&told=secret&topic=secret&often=never\xff")
    assert customers.did == [("choose", "bob", Chosen({}, {}, 30, {}))]


@pytest.mark.parametrize(
    ("body", "until"),
    [
        (b"do=snooze&days=30", NOW + 30 * DAY),
        (b"do=snooze&days=90", NOW + 90 * DAY),
        (b"do=snooze&days=999", NOW + 366 * DAY),
        (b"do=snooze&days=0", None),
        (b"do=snooze&until=2026-04-01", datetime(2026, 4, 1, tzinfo=UTC)),
        (b"do=snooze&until=2099-04-01", NOW + 366 * DAY),
        (b"do=snooze&days=99999999999", NOW + 366 * DAY),
    ],
)
def test_somebody_may_pause(
    visitor: Visitor, customers: FakeCustomers, page: str, body: bytes, until: datetime | None
) -> None:
    assert visitor.ask("POST", page, body).status == 303
    assert customers.did == [("snooze", "bob", until)]


def test_a_day_of_a_pause_is_one_of_where_they_live(
    visitor: Visitor, customers: FakeCustomers, page: str
) -> None:
    los_angeles = ZoneInfo("America/Los_Angeles")
    customers.choices = Choices(zone=los_angeles)
    visitor.ask("POST", page, b"do=snooze&until=2026-06-03")
    until = datetime(2026, 6, 3, 7, tzinfo=UTC)
    assert customers.did == [("snooze", "bob", until)]
    customers.choices = Choices(snoozed_until=until, zone=los_angeles)
    customers.at = datetime(2026, 3, 3, 2, tzinfo=UTC)  # the second of March there
    body = visitor.ask("GET", page).body
    assert "quiet until 3 June 2026" in body
    assert 'min="2026-03-03"' in body


@pytest.mark.parametrize(
    ("own", "often", "days"),
    [(120, "quarter", 120), (120, "month", 30), (120, "", 120), (20, "month", 30), (20, "", 20)],
)
def test_a_rarer_rate_than_any_button_stays_unless_another_is_chosen(
    visitor: Visitor, customers: FakeCustomers, page: str, own: int, often: str, days: int
) -> None:
    customers.choices = Choices({"email": True}, every_days=own)
    visitor.ask("POST", page, f"do=save&shown=email&channel=email&often={often}".encode())
    ((_, _, wish),) = customers.did
    assert isinstance(wish, Chosen)
    assert wish.every_days == days


@pytest.mark.parametrize("body", [b"until=2020-01-01", b"until=soon", b"", b"days=-3&until="])
def test_what_is_no_day_to_come_leaves_a_pause_as_it_is(
    visitor: Visitor, customers: FakeCustomers, page: str, body: bytes
) -> None:
    answer = visitor.ask("POST", page, b"do=snooze&" + body)
    assert (answer.status, answer.headers["Location"]) == (303, "?")
    assert customers.did == []


def test_a_pause_is_shown_and_can_be_ended(
    visitor: Visitor, customers: FakeCustomers, page: str
) -> None:
    customers.choices = Choices(snoozed_until=NOW + 3 * DAY)
    body = visitor.ask("GET", page).body
    assert "quiet until 5 March 2026" in body
    assert "Write to me again" in body


def test_a_forged_link_leads_nowhere_and_an_old_one_says_so(
    visitor: Visitor, customers: FakeCustomers, page: str
) -> None:
    for place in ("p", "export", "erase"):
        other = signed(LinkPurpose.CONFIRM, NOW + DAY)
        for token in (page[3:-1] + "x", other, "a.b", ""):
            answer = visitor.ask("POST", f"/{place}/{token}", b"do=leave")
            assert answer.status == 404
    customers.at = NOW + 90 * DAY
    answer = visitor.ask("POST", page, b"do=leave")
    assert answer.status == 410
    assert "This link has run out" in answer.body
    assert customers.did == []


def test_data_are_handed_out_and_people_forgotten_only_after_a_second_question(
    visitor: Visitor, customers: FakeCustomers, page: str
) -> None:
    for what in ("export", "erase"):
        first = visitor.ask("POST", page, f"do={what}".encode())
        place = first.headers["Location"].removeprefix("..")
        asked = visitor.ask("GET", place)
        assert asked.status == 200
        assert '<form method="post"' in asked.body
        assert ("erase", "bob") not in customers.did
        done = visitor.ask("POST", place)
        assert done.status == 200
    assert customers.did == [("export", "bob"), ("erase", "bob")]
    # Used again, and the page of preferences too: they are forgotten, and that is said.
    assert "You are forgotten" in visitor.ask("POST", place).body
    assert "You are forgotten" in visitor.ask("POST", page, b"do=leave").body
    assert len(customers.did) == 2


def test_a_question_is_open_for_an_hour(visitor: Visitor, customers: FakeCustomers) -> None:
    place = f"/erase/{signed(LinkPurpose.ERASE, NOW + timedelta(hours=1))}"
    customers.at = NOW + timedelta(hours=1)
    assert visitor.ask("POST", place).status == 410
    assert customers.did == []


def test_an_export_is_a_file(visitor: Visitor) -> None:
    answer = visitor.ask("POST", f"/export/{signed(LinkPurpose.EXPORT, NOW + DAY)}")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert json.loads(answer.body) == {"person": "bob"}


def test_a_failure_is_admitted(visitor: Visitor, customers: FakeCustomers, page: str) -> None:
    customers.is_broken = True
    for place in (page, f"/erase/{signed(LinkPurpose.ERASE, NOW + DAY)}"):
        answer = visitor.ask("POST", place, b"do=leave")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "60")


def test_whoever_leaves_is_asked_why_in_one_click(
    visitor: Visitor, opt_outs: FakeOptOuts, customers: FakeCustomers, link: str
) -> None:
    assert "Choose what you hear of" in visitor.ask("GET", link).body
    left = visitor.ask("POST", link)
    assert 'name="reason" value="too_often"' in left.body
    answer = visitor.ask("POST", link, b"scope=why&reason=too_often&words=+Daily%21+%3Cb%3E+")
    assert "Thank you" in answer.body
    assert customers.did == [("answer", "bob", LeaveReason.TOO_OFTEN, "Daily! <b>")]
    assert len(opt_outs.left) == 1  # the answer is no second wish to leave
    visitor.ask("POST", link, b"scope=why&reason=%00")
    assert customers.did[-1] == ("answer", "bob", LeaveReason.OTHER, "")


def test_pages_speak_the_language_of_the_browser_or_the_country(
    visitor: Visitor, customers: FakeCustomers, page: str
) -> None:
    customers.choices = Choices(country="DE")
    german = visitor.ask("GET", page)
    assert '<html lang="de">' in german.body
    assert "Wovon möchten Sie hören?" in german.body
    french = visitor.ask("GET", page, HTTP_ACCEPT_LANGUAGE="pt, fr-CH;q=0.9, de;q=0.5")
    assert french.headers["Content-Language"] == "fr"
    spanish = visitor.ask("GET", "/nowhere", HTTP_ACCEPT_LANGUAGE="es")
    assert "Este enlace no funciona" in spanish.body


def test_a_form_of_thousands_of_fields_is_none_of_ours(
    visitor: Visitor, customers: FakeCustomers, page: str
) -> None:
    answer = visitor.ask("POST", page, b"&".join(b"channel=x" for _ in range(1500)))
    assert (answer.status, customers.did) == (400, [])


def test_a_link_that_was_sent_on_hands_nobodys_data_out(
    visitor: Visitor, customers: FakeCustomers, link: str
) -> None:
    """Whoever holds an old message may choose by it, and neither read nor end what is kept."""
    found = re.search(r'href="\.\.(/p/[^"]+)"', visitor.ask("GET", link).body)
    assert found
    assert 'value="erase"' not in visitor.ask("GET", found[1]).body
    for what in ("export", "erase"):
        assert visitor.ask("POST", found[1], f"do={what}".encode()).status == 403
    assert visitor.ask("POST", found[1], b"do=leave").status == 303
    customers.at = NOW + timedelta(hours=1)
    assert visitor.ask("GET", found[1]).status == 410


def test_a_link_that_was_sent_on_lets_somebody_hear_less_and_never_more(
    visitor: Visitor, customers: FakeCustomers, link: str
) -> None:
    customers.choices = Choices(
        {"email": True, "sms": False}, {"news": True, "sales": False}, 30, NOW + 40 * DAY, "GB"
    )
    found = re.search(r'href="\.\.(/p/[^"]+)"', visitor.ask("GET", link).body)
    assert found
    shown = visitor.ask("GET", found[1]).body
    assert 'value="email" checked>' in shown
    for absent in ('value="sms"', 'value="sales"', 'value="week"', 'value="0"'):
        assert absent not in shown
    more = b"shown=email&shown=sms&channel=email&channel=sms&told=sales&topic=sales&often=week"
    for body in (more, b"do=snooze&days=0", b"do=snooze&days=30"):
        assert visitor.ask("POST", found[1], body).status == 303
    assert customers.did == [("choose", "bob", Chosen({}, {}, 30, {}))]
    customers.did.clear()
    visitor.ask("POST", found[1], b"shown=email&told=news&often=quarter")
    visitor.ask("POST", found[1], b"do=snooze&days=60")
    assert customers.did == [
        ("choose", "bob", Chosen({"email": False}, {"news": False}, 90, {})),
        ("snooze", "bob", NOW + 60 * DAY),
    ]


def test_no_link_lasts_longer_by_being_followed(visitor: Visitor, customers: FakeCustomers) -> None:
    place = f"/erase/{signed(LinkPurpose.ERASE, NOW + timedelta(minutes=5))}"
    found = re.search(r'href="\.\.(/p/[^"]+)"', visitor.ask("GET", place).body)
    assert found
    customers.at = NOW + timedelta(minutes=5)
    assert visitor.ask("GET", found[1]).status == 410


def test_a_yes_is_confirmed_by_a_post_in_the_words_shown(
    visitor: Visitor, customers: FakeCustomers
) -> None:
    place = f"/confirm/{signed(LinkPurpose.CONFIRM, NOW + DAY)}"
    asked = visitor.ask("GET", place)
    assert asked.status == 200
    assert "“Yes, &lt;news&gt;”" in asked.body
    assert '<form method="post"' in asked.body
    for _ in range(2):  # used twice it says the same, and does nothing more
        assert "Thank you, it is confirmed." in visitor.ask("POST", place).body
    assert customers.did == [("confirm", "bob", "Yes, <news>")]
    assert '<form method="post"' not in visitor.ask("GET", place).body


def test_a_yes_without_words_is_confirmed_in_those_of_the_page(
    visitor: Visitor, customers: FakeCustomers
) -> None:
    customers.asked = Question(PendingState.OPEN, "email", "", "DE")
    place = f"/confirm/{signed(LinkPurpose.CONFIRM, NOW + DAY)}"
    assert "Ja, ich bin einverstanden" in visitor.ask("GET", place).body
    visitor.ask("POST", place)
    ((_, _, words),) = customers.did
    assert "E-Mail" in str(words)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("state", "says"),
    [
        (PendingState.REFUSED, "There is nothing to confirm any more."),
        (PendingState.OVER, "This link has run out"),
        (None, "There is nothing to confirm any more."),
    ],
)
def test_what_cannot_be_confirmed_is_said_and_not_asked(
    visitor: Visitor,
    customers: FakeCustomers,
    method: str,
    state: PendingState | None,
    says: str,
) -> None:
    customers.asked = None if state is None else Question(state, "email")
    answer = visitor.ask(method, f"/confirm/{signed(LinkPurpose.CONFIRM, NOW + DAY)}")
    assert answer.status == 410
    assert says in answer.body
    assert '<form method="post"' not in answer.body
    assert customers.did == []


def test_a_confirmation_by_a_link_that_is_altered_over_or_of_another_purpose(
    visitor: Visitor, customers: FakeCustomers, page: str
) -> None:
    token = signed(LinkPurpose.CONFIRM, NOW + DAY)
    for other in (token[:-1] + "!", page[3:], signed(LinkPurpose.ERASE, NOW + DAY), "a.b"):
        assert visitor.ask("POST", f"/confirm/{other}").status == 404
    customers.at = NOW + DAY
    assert visitor.ask("POST", f"/confirm/{token}").status == 410
    customers.at, customers.is_broken = NOW, True
    assert visitor.ask("POST", f"/confirm/{token}").status == 503
    assert customers.did == []
