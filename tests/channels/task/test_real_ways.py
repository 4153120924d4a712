"""One journey over every real way out, against servers that speak the documented APIs.

An e-mail by a provider, a text, a push, a list of ads, a letter, and somebody who calls; then the
person buys, the list is told so, and nobody calls any more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from rekindle.channels.letter.settings import LOB_KEY, LOB_REPORTS
from rekindle.desk import explain_customer, list_tasks, start_journey
from rekindle.intake import read_event
from rekindle.ledger import Inbox, models, ready_events
from rekindle.vocabulary import Answer as Word
from rekindle.vocabulary import Reason
from tests.channels.audience.lists import Shop
from tests.channels.push.pushing import Browser, new_vapid_key
from tests.channels.sms.texting import ACCOUNT, TOKEN
from tests.runtime.shops import set_key
from tests.servers.recording import Answer, Recorded, RecordingServer

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
PHONE = "+442079460018"
HOME = {"street": "12 Mill Lane", "city": "Leeds", "postalCode": "LS1 4AB", "country": "GB"}
JOURNEY = """\
journey: every
enter: {audience: customer_id = 'ann'}
goal: {on: order, within: 90 days}
holdout: none
steps:
  - send: {channel: email, template: check-in}
  - wait: 8 days
  - send: {channel: sms, template: nudge}
  - wait: 8 days
  - send: {channel: push, template: nudge}
  - wait: 8 days
  - send: {channel: audience, destination: lapsed}
  - wait: 8 days
  - send: {channel: letter, template: nudge}
  - wait: 8 days
  - send: {channel: task, template: nudge}
"""
SECTION = f"""\
[email.postmark]
api_url = "SERVER/postmark/"
[sms]
outlet = "sms_twilio"
help_text = "My shop"
[sms.twilio]
account = "{ACCOUNT}"
from_number = "+15005550006"
api_url = "SERVER"
[push]
outlet = "push_web"
[push.web]
contact = "mailto:push@shop.example"
services = ["127.0.0.1"]
[audience]
outlet = "audience_meta"
[audience.meta]
api_url = "SERVER"
audiences = {{lapsed = "238"}}
[letter]
outlet = "letter_lob"
[letter.lob]
sender = "adr_1"
api_url = "SERVER"
[task]
outlet = "task_queue"
"""


def mailed(request: Recorded) -> Answer:
    """Take a mail as Postmark does."""
    return Answer(200, {"To": request.json()["To"], "MessageID": "m", "ErrorCode": 0})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingServer]:
    monkeypatch.setenv("REKINDLE_POSTMARK_SERVER_TOKEN", "t0ken")
    monkeypatch.setenv("REKINDLE_TWILIO_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("REKINDLE_VAPID_KEY", new_vapid_key())
    monkeypatch.setenv("REKINDLE_META_TOKEN", "EAAB")
    monkeypatch.setenv(LOB_KEY, "live_1")
    monkeypatch.setenv(LOB_REPORTS, "the secret of the webhook")
    with RecordingServer() as server:
        server.answer("/postmark", mailed)
        server.answer("/2010-04-01", Answer(201, {"sid": "SM1", "status": "queued"}))
        server.answer("/push", Answer(201))
        server.answer("/v1/letters", Answer(200, {"id": "ltr_1", "object": "letter"}))
        server.answer("/v25.0/238/users", Answer(200, {"num_received": 1, "session_id": 7}))
        yield server


@pytest.fixture
def shop(tmp_path: Path, server: RecordingServer) -> Iterator[Shop]:
    section = SECTION.replace("SERVER", server.url)
    shop = Shop(tmp_path / "shop", section, JOURNEY)
    set_key(shop.folder, "outlet", '"email_postmark"')
    for way, text in (
        ("sms", "Hello."),
        ("push", "Hello."),
        ("letter", "Come by."),
        ("task", "Call them."),
    ):
        head = "" if way == "sms" else "---\ntitle: Hello\n---\n"
        (shop.folder / "templates" / f"nudge.{way}.txt").write_text(head + text)
    shop.close()
    shop.open()
    identify(shop, Browser(f"{server.url}/push/ann".replace("http:", "https:")))
    yield shop
    shop.close()


def identify(shop: Shop, browser: Browser) -> None:
    """Let the shop's server say how ann may be reached, and that she agreed to it."""
    at = shop.clock.now()
    agreed = dict.fromkeys(("email", "sms", "push", "audience"), True)
    traits = {
        "phone": PHONE,
        "pushSubscription": browser.subscription,
        "address": HOME,
        "consent": agreed,
    }
    event = read_event({"type": "identify", "userId": "ann", "traits": traits}, received_at=at)
    Inbox(shop.space.ledger, shop.space.book).take(
        "shop", ready_events(shop.space.ledger, [event]), at
    )
    # The service of the tests speaks no TLS, which the API asks for.
    rows = models.Address.objects.using(shop.space.ledger)
    for row in rows.exclude(value=""):
        rows.filter(pk=row.pk).update(value=row.value.replace("https:", "http:"))
    shop.clock.move(MINUTE)


def test_a_journey_over_every_way_out_stops_everywhere_at_a_return(
    shop: Shop, server: RecordingServer
) -> None:
    start_journey(shop.space, shop.space.journey("every"), shop.clock.now())
    for _ in range(6):
        shop.worker.tick()
        shop.clock.move(8 * DAY + MINUTE)
    paths = [f"{one.method} {one.path.split('/')[1]}" for one in server.requests]
    assert paths == ["POST postmark", "POST 2010-04-01", "POST push", "POST v25.0", "POST v1"]
    ann = sha256(b"ann.lee@example.com").hexdigest()
    listed, posted = server.requests[-2:]
    (payload,) = listed.form()["payload"]
    assert json.loads(payload)["data"] == [[ann]]
    assert posted.json()["to"]["address_line1"] == HOME["street"]
    (task,) = list_tasks(shop.space)
    assert task.decision.answer is Word.SEND
    shop.buy("ann")
    shop.later(MINUTE)
    last = server.requests[-1]
    assert (last.method, json.loads(last.form()["payload"][0])["data"]) == ("DELETE", [[ann]])
    assert [one.decision.reason for one in list_tasks(shop.space)] == [Reason.EXIT_REACHED]
    (stay,) = explain_customer(shop.space, "ann", shop.clock.now()).stays
    assert (stay.reason, stay.taken_at, stay.effective_at) == ("order", shop.clock.now(), None)
    shop.later(DAY)
    (stay,) = explain_customer(shop.space, "ann", shop.clock.now()).stays
    assert stay.effective_at == shop.clock.now()
    assert len(server.requests) == 6
