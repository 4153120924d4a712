"""The counting mail server: what tests of crashes and benchmarks rely on."""

from __future__ import annotations

import smtplib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rekindle.channels import build_outlet
from rekindle.channels.email.settings import EmailSettings, SmtpSettings
from rekindle.errors import (
    DeliveryError,
    PermanentDeliveryError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.testing.smtp_sink import Manners, SmtpSink, running_sink
from tests.channels.postbox import Mailing, build_mail

MESSAGES = 60


@pytest.fixture(scope="module")
def sink() -> Iterator[SmtpSink]:
    with running_sink() as found:
        yield found


def open_outlet(sink: SmtpSink) -> Mailing:
    smtp = SmtpSettings(host="127.0.0.1", port=sink.port, security="none")
    settings = EmailSettings(outlet="email_smtp", smtp=smtp)
    return Mailing(build_outlet("email_smtp", settings, base=Path(), secrets={}))


def send_all(sink: SmtpSink, prefix: str) -> dict[str, type[Exception] | None]:
    """Send messages, each to an address of its own; return what became of them by id."""
    fates: dict[str, type[Exception] | None] = {}
    with closing(open_outlet(sink)) as outlet:
        for number in range(MESSAGES):
            mail = build_mail(key=f"{prefix}{number}", to_address=f"{prefix}{number}@example.com")
            name = f"{mail.key}@example.com"
            try:
                outlet.send(mail)
            except DeliveryError as error:
                fates[name] = type(error)
            else:
                fates[name] = None
    return fates


def taken(sink: SmtpSink, prefix: str) -> set[str]:
    counts = sink.tally().taken
    return {name for name in counts if name.startswith(prefix) and counts[name]}


def test_a_polite_sink_takes_everything_once(sink: SmtpSink) -> None:
    sink.behave(Manners())
    fates = send_all(sink, "polite")
    assert set(fates.values()) == {None}
    assert taken(sink, "polite") == set(fates)


def test_messages_taken_twice_are_seen(sink: SmtpSink) -> None:
    sink.behave(Manners())
    mail = build_mail(key="twice")
    with closing(open_outlet(sink)) as outlet:
        outlet.send(mail)
        outlet.send(replace(mail, subject="again"))
    assert sink.tally().repeated == {"twice@example.com": 2}


def test_what_is_lost_has_an_unknown_fate_and_nothing_else_has(sink: SmtpSink) -> None:
    sink.behave(Manners(seed=1, lost_share=0.4))
    before = sink.tally()
    fates = send_all(sink, "lost")
    lost = set(sink.tally().lost - before.lost)
    assert {name for name, fate in fates.items() if fate is UnknownFateError} == lost
    assert {name for name, fate in fates.items() if fate is None} == taken(sink, "lost") - lost
    assert lost & taken(sink, "lost")
    assert lost - taken(sink, "lost")


@pytest.mark.parametrize("is_trusting", [True, False])
def test_refusals_reach_the_sender_as_what_they_are(sink: SmtpSink, is_trusting: bool) -> None:
    shares = {"busy_share": 0.2, "nobody_share": 0.2, "refused_share": 0.2}
    sink.behave(Manners(seed=2, is_trusting=is_trusting, **shares))
    before = sink.tally().connections
    prefix = f"refused-{is_trusting}-"
    fates = send_all(sink, prefix)
    found = Counter(fates.values())
    assert set(found) == {
        None, TemporaryDeliveryError, PermanentDeliveryError, RefusedContentError
    }  # fmt: skip
    assert taken(sink, prefix) == {name for name, fate in fates.items() if fate is None}
    assert sink.tally().connections == before + 1


def test_the_dice_fall_the_same_for_the_same_seed() -> None:
    manners = Manners(seed=3, busy_share=0.3, lost_share=0.3)
    rounds = []
    for _ in range(2):
        with running_sink(manners) as sink:
            rounds.append((send_all(sink, "dice"), sink.tally()))
    assert rounds[0] == rounds[1]


def test_a_message_nobody_is_named_for_is_refused(sink: SmtpSink) -> None:
    with smtplib.SMTP("127.0.0.1", sink.port) as server:
        server.ehlo()
        assert server.docmd("DATA")[0] == 554
