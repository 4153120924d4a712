"""From an e-mail to a text: what holds for mail holds for texts, and a STOP ends them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from rekindle.clock import MovableClock
from rekindle.config import SourceSettings
from rekindle.consent import ConsentRecord
from rekindle.desk import (
    ListDefaults,
    Scaffold,
    create_workspace,
    explain_customer,
    import_suppressions,
    start_journey,
)
from rekindle.ledger import MessageState, count_reach, disconnect, models
from rekindle.messages import AddressKind
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, Reason
from rekindle.web import build_site
from rekindle.worker import Worker
from tests.channels.sms.texting import ACCOUNT, TOKEN
from tests.runtime.shops import add_section, set_key
from tests.servers.recording import Answer, RecordingServer

NOW = datetime(2026, 3, 2, 17, 30, tzinfo=UTC)  # half past five in London, a Monday
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PHONE = "+442079460018"
URL = "https://shop.example.com/v1/reports/sms_twilio"
SENT = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
JOURNEY = """\
journey: back
enter: {audience: orders_count >= 1}
goal: {on: order, within: 30 days}
holdout: none
stale_after: 3 days
steps:
  - send: {channel: email, template: check-in}
  - wait: 1 day
  - send: {channel: sms, template: nudge}
  - wait: {until: reply, at_most: 10 days}
  - send: {channel: sms, template: nudge}
"""
SECTION = f"""\
[sms]
outlet = "sms_twilio"
cost = 0.04
help_text = "My shop"
[sms.twilio]
account = "{ACCOUNT}"
from_number = "+15005550006"
reports_url = "{URL}"
api_url = "SERVER"

[[budgets]]
channel = "sms"
per_month = 1
"""


class Shop:
    """A shop of one customer, and a server that stands for Twilio."""

    def __init__(self, folder: Path, server: RecordingServer) -> None:
        server.answer(SENT, Answer(201, {"sid": "SM1", "status": "queued"}))
        self.folder, self.server, self.clock = folder, server, MovableClock(NOW)
        _build(folder, server.url)
        self.space = Workspace.open(folder, clock=self.clock)
        self.space.import_facts()
        self.worker = Worker(self.space)

    def agree(self, *channels: str) -> None:
        """Let ann say yes."""
        yes = [ConsentRecord("ann", Channel(one), True, NOW - DAY, "form") for one in channels]
        self.space.book.save_consent(yes)

    def start(self) -> None:
        start_journey(self.space, self.space.journey("back"), self.clock.now())
        self.worker.tick()

    def tick(self, after: timedelta) -> None:
        self.clock.move(after)
        self.worker.tick()

    def mails(self) -> int:
        return len(list((self.folder / "state" / "outbox").glob("*.eml")))

    def texts(self) -> list[dict[str, list[str]]]:
        return [one.form() for one in self.server.requests]

    def touches(self) -> Any:
        return models.Touch.objects.using(self.space.ledger).filter(channel="sms").order_by("id")

    def told(self, *, query: str = "", **form: str) -> tuple[str, bytes]:
        """Post what Twilio reports, through a proxy; return the status and the answer."""
        signature = RequestValidator(TOKEN).compute_signature(URL + query, form)
        body, said = urlencode(form).encode(), []
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/v1/reports/sms_twilio",
            "QUERY_STRING": query.lstrip("?"),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": "10.0.0.7:8080",
            "HTTP_X_TWILIO_SIGNATURE": signature,
            "wsgi.input": io.BytesIO(body),
        }
        answer = build_site(self.space)(environ, lambda status, headers: said.append(status))
        return said[0][:3], b"".join(answer)

    def hears(self, text: str, number: str = "SM9", phone: str = PHONE) -> bytes:
        """Let somebody write a text to the shop."""
        self.clock.move(timedelta(minutes=1))
        status, answer = self.told(From=phone, MessageSid=number, Body=text)
        assert status == "200", answer
        return answer

    def may(self) -> bool:
        """Return whether ann may be sent marketing by text now."""
        found = explain_customer(self.space, "ann", self.clock.now())
        return not any(
            one.channel in {None, Channel("sms")} for one in found.suppressions
        ) and bool(self._standing())

    def _standing(self) -> bool:
        dossier = self.space.outbox.standing(
            "ann", Channel("sms"), self.clock.now(), last_order_at=None
        )
        return dossier.permission.is_granted and not dossier.is_suppressed

    def ended(self) -> Reason | None:
        (entry,) = self.space.history.enrolments_of("back")
        return entry.ended_reason


def _build(folder: Path, url: str) -> None:
    folder.mkdir()
    then = (NOW - 200 * DAY).isoformat()
    files = {
        "orders.csv": f"order_id,customer_id,ordered_at,gross\no1,ann,{then},50\n",
        "customers.csv": (
            f"customer_id,email,phone,country,first_name\nann,ann@example.com,{PHONE},GB,Ann\n"
        ),
    }
    sources = []
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
        columns = {column: column for column in text.partition("\n")[0].split(",")}
        table = name.removesuffix(".csv")
        sources.append(SourceSettings(name=table, table=table, path=name, columns=columns))
    create_workspace(folder, Scaffold("Shop", "GBP", "Europe/London", tuple(sources)))
    set_key(folder, "postal_address", '"1 High Street"')
    add_section(folder, SECTION.replace("SERVER", url))
    (folder / "journeys" / "back.yaml").write_text(JOURNEY, encoding="utf-8")
    note = "{{ first_name }}, your size is back."
    (folder / "templates" / "nudge.sms.txt").write_text(note, encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("REKINDLE_TWILIO_AUTH_TOKEN", TOKEN)
    with RecordingServer() as server:
        shop = Shop(tmp_path / "shop", server)
        yield shop
        disconnect(shop.space.ledger)


@pytest.mark.long
def test_a_text_follows_the_mail_and_knows_when_the_night_begins(shop: Shop) -> None:
    shop.agree("email", "sms")
    shop.start()
    assert (shop.mails(), shop.texts()) == (1, [])
    shop.tick(DAY)
    (text,) = shop.texts()
    assert text["Body"] == ["Ann, your size is back.\nReply STOP to opt out"]
    # Quiet hours begin at 21:00; it is 17:30 now, less the minute by which it is written ahead.
    assert text["ValidityPeriod"] == [str(210 * 60 - 60)]
    touch = shop.touches().get()
    assert (touch.state, touch.provider_id) == (MessageState.ACCEPTED, "SM1")
    # Three segments were set aside; one was sent, and the budget has the rest again.
    budget = models.Budget.objects.using(shop.space.ledger).get(name="*/sms")
    assert touch.cost_micros == budget.reserved_micros == 40_000
    shop.told(query=f"?message={'0' * 64}", MessageSid="SM1", MessageStatus="delivered", To=PHONE)
    kept = models.Delivery.objects.using(shop.space.ledger).get()
    assert (kept.kind, kept.touch) == ("delivered", touch.pk)


def test_a_text_waits_for_the_morning_and_the_cap(shop: Shop) -> None:
    shop.agree("email", "sms")
    shop.start()
    shop.tick(DAY + 5 * HOUR)  # half past ten in the evening
    assert (shop.mails(), shop.texts()) == (1, [])
    shop.tick(12 * HOUR)
    assert len(shop.texts()) == 1
    shop.hears("Is the red one back?")
    shop.tick(HOUR)
    assert shop.texts()[1:] == []  # one text a week
    shop.tick(7 * DAY)
    assert len(shop.texts()) <= 2


@pytest.mark.draws(1)
@pytest.mark.parametrize("stopped", [False, True])
def test_a_number_as_it_is_dialled_at_home_is_of_the_country_of_its_card(
    shop: Shop, stopped: bool
) -> None:
    """A list may have it in that spelling, too, and says then that nobody is to be texted there."""
    file = shop.folder / "customers.csv"
    text = file.read_text(encoding="utf-8").replace(PHONE, "020 7946 0018")
    file.write_text(text + "bob,,020 7946 0099,,Bob\n", encoding="utf-8")
    shop.space.import_facts()
    shop.agree("email", "sms")
    shop.start()
    reach = count_reach(shop.space.ledger, "sms", AddressKind.PHONE)
    assert (reach.agreed, reach.unreachable) == (1, 1)  # of bob's nobody knows the country
    if stopped:  # after the message was decided
        numbers = shop.folder / "stopped.csv"
        numbers.write_text("phone\n020 7946 0018\n", encoding="utf-8")
        import_suppressions(shop.space, numbers, ListDefaults(Channel("sms")), who="me")
    shop.tick(DAY)
    assert [one["To"] for one in shop.texts()] == ([] if stopped else [["+442079460018"]])


@pytest.mark.long
def test_nobody_is_texted_who_agreed_to_mail_alone(shop: Shop) -> None:
    shop.agree("email")
    shop.start()
    shop.tick(DAY)
    assert (shop.mails(), shop.texts()) == (1, [])
    found = explain_customer(shop.space, "ann", shop.clock.now())
    assert [one.reason for one in found.decisions if one.step == "nudge"] == [Reason.NO_PERMISSION]


@pytest.mark.long
def test_a_stop_ends_it_at_once_and_start_takes_back_that_stop_alone(shop: Shop) -> None:
    shop.agree("email", "sms")
    shop.start()
    shop.tick(DAY)
    assert shop.may()
    assert b"<Response></Response>" in shop.hears("STOP", "SM2")
    assert (shop.ended(), shop.may()) == (Reason.OPT_OUT, False)
    shop.hears("START", "SM3", phone="+442079460099")  # somebody else
    assert not shop.may()
    shop.hears("START", "SM4")
    assert shop.may()
    shop.hears("Please leave me alone", "SM5")
    shop.clock.move(HOUR)
    shop.space.book.save_consent(
        [ConsentRecord("ann", Channel("sms"), False, shop.clock.now(), "portal")]
    )
    shop.hears("START", "SM6")
    assert not shop.may()


@pytest.mark.long
def test_a_start_lifts_nothing_that_was_said_elsewhere(shop: Shop) -> None:
    shop.agree("email", "sms")
    shop.space.book.suppress("ann", Channel("sms"), reason="opt_out", at=NOW)
    shop.hears("START", "SM2")
    assert not shop.may()


@pytest.mark.long
def test_a_stop_of_a_number_nobody_has_yet_binds_whoever_gets_it(shop: Shop) -> None:
    shop.hears("STOP", "SM2", phone="+442079460099")
    rows = models.Suppression.objects.using(shop.space.ledger)
    assert rows.get().channel == "sms"
    shop.hears("START", "SM3", phone="+442079460099")
    assert rows.get().channel == "-"


@pytest.mark.long
def test_who_wrote_stop_to_twilio_is_stopped_here_too(shop: Shop) -> None:
    shop.agree("email", "sms")
    shop.server.answer(SENT, Answer(400, {"code": 21610, "message": f"{PHONE} unsubscribed"}))
    shop.start()
    shop.tick(DAY)
    touch = shop.touches().get()
    assert (touch.state, touch.reason) == (MessageState.FAILED, "opt_out")
    assert PHONE not in touch.last_error
    assert (shop.ended(), shop.may()) == (Reason.OPT_OUT, False)
    shop.hears("START", "SM2")
    assert shop.may()


@pytest.mark.long
def test_help_is_answered_and_other_words_are_a_reply_the_journey_hears(shop: Shop) -> None:
    shop.agree("email", "sms")
    shop.start()
    shop.tick(DAY)
    assert b"<Message>My shop</Message>" in shop.hears("help", "SM2")
    (place,) = models.Place.objects.using(shop.space.ledger).all()
    assert place.due_at > shop.clock.now()
    shop.hears("Is the red one back?", "SM3")
    place.refresh_from_db()
    assert place.due_at <= shop.clock.now()
    assert shop.ended() is None


@pytest.mark.long
def test_a_forged_stop_stops_nobody(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.agree("sms")
    monkeypatch.setenv("REKINDLE_TWILIO_AUTH_TOKEN", "another token")
    status, answer = shop.told(From=PHONE, MessageSid="SM2", Body="STOP")
    assert status == "403"
    assert TOKEN not in json.dumps(answer.decode())
    assert shop.may()
