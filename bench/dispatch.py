"""Delivery to a local mail server, against a loop that does nothing but hand over.

The sink is ours, in a process of its own, and counts: a message taken twice or not at all
ends the run. The bare loop hands over one of the same messages, prepared, through ``smtplib``,
from as many threads as there are connections.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from bench.measure import Result, compare
from rekindle.channels import build_outlet
from rekindle.channels.email.settings import EmailSettings, SmtpSettings
from rekindle.channels.email.writing import build_bytes, write_mail
from rekindle.messages import Address, AddressKind, Links, Message
from rekindle.testing.smtp_sink import SmtpSink, running_sink
from rekindle.vocabulary import Channel

MESSAGES = 4000
CONNECTIONS = 2
HOST = "127.0.0.1"
PREPARED = "prepared"
LIMIT = 1.7
TEXT = "Hello Ann,\n" + "it has been a while, and there is something new to see.\n" * 18
HTML = "<html><body>" + "<p>It has been a while – there is something new to see.</p>" * 50

# Given a sink's port, returns what hands over ``MESSAGES`` new messages at each call, and one
# message like them.
Prepare = Callable[[int], tuple[Callable[[], object], Message]]


def delivery() -> Result:
    """One outlet shared by two threads, each message built and handed over."""
    return measure_against_bare_loop(
        _through_outlet, note=f"building and sending {MESSAGES:,} e-mails over SMTP ÷ a bare loop"
    )


def measure_against_bare_loop(prepare: Prepare, *, note: str) -> Result:
    """Return the time ``prepare``'s function takes beside that of a bare loop.

    Raises:
        RuntimeError: a message arrived twice, or not at all.
    """
    with running_sink() as sink:
        (ours, sample), calls = prepare(sink.port), count()
        letter = write_mail(replace(sample, key=PREPARED), EmailSettings())
        body = build_bytes(letter)

        def counted() -> None:
            next(calls)
            ours()

        def bare() -> None:
            _bare_loop(sink.port, letter.from_address, letter.to_address, body)

        result = compare(counted, bare, rounds=3, limit=LIMIT, note=note)
        _check(sink, expected=MESSAGES * next(calls))
    rates = [f"{MESSAGES / seconds:,.0f}/s" for seconds in (result.ours, result.baseline)]
    size = f"{len(body):,} bytes each"
    return replace(result, note=f"{note} ({size}, {rates[0]} against {rates[1]})")


SUBJECT = "We have missed you – come and see"


def build_mails(*, first: int = 0) -> Iterator[Message]:
    """Yield messages of a usual size without end; ``first`` sets their keys apart."""
    for number in count(first):
        yield Message(
            key=f"{number:064x}",
            channel=Channel("email"),
            person=f"customer{number}",
            address=Address(AddressKind.EMAIL, f"customer{number}@example.com"),
            parts={"subject": SUBJECT, "html": HTML, "text": TEXT},
            at=datetime(2026, 5, 4, 9, tzinfo=UTC),
            name="Ann Älg",
            links=Links(f"https://shop.example.com/u/{number:064x}"),
        )


def _through_outlet(port: int) -> tuple[Callable[[], object], Message]:
    smtp = SmtpSettings(host=HOST, port=port, security="none", connections=CONNECTIONS)
    settings = EmailSettings(outlet="email_smtp", smtp=smtp)
    outlet = build_outlet("email_smtp", settings, base=Path(), secrets={})
    mails = build_mails()

    def deliver() -> None:
        batch = [next(mails) for _ in range(MESSAGES)]
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            for _ in threads.map(outlet.send, batch):
                pass
        outlet.close()

    return deliver, next(build_mails())


def _bare_loop(port: int, sender: str, recipient: str, body: bytes) -> None:
    def hand_over(messages: int) -> None:
        with smtplib.SMTP(HOST, port) as server:
            for _ in range(messages):
                server.sendmail(sender, [recipient], body)

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        for _ in threads.map(hand_over, [MESSAGES // CONNECTIONS] * CONNECTIONS):
            pass


def _check(sink: SmtpSink, *, expected: int) -> None:
    taken = sink.tally().taken
    ours = [number for name, number in taken.items() if not name.startswith(PREPARED)]
    if sum(ours) != expected or len(ours) != expected:
        raise RuntimeError(f"{sum(ours)} deliveries of {len(ours)} messages; {expected} were sent")
