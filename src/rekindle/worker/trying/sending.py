"""Sends a journey's messages to one address of the team's own, marked as a test.

They leave by the configured outlet and by no gate: nothing is written into the ledger, and
nobody who is a customer gets one unless that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from rekindle.channels import find_outlet
from rekindle.config import load_secrets
from rekindle.content import full_name
from rekindle.errors import UsageError
from rekindle.journeys import Journey
from rekindle.ledger import AddressBook
from rekindle.messages import Address, AddressKind, Links, Message, find_problem
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel
from rekindle.worker.dispatching import Fate, Handed, HandOver
from rekindle.worker.trying.letters import NO_TOKEN, Draft, write_letters

MARK = "[Test] "
MARKED = ("subject", "title")


@dataclass(frozen=True, slots=True)
class TestMail:
    """What became of one message. ``word`` is the provider's, or why none was sent."""

    __test__ = False  # to pytest its name looks like a test's

    step: str
    channel: Channel
    is_sent: bool
    word: str


def send_test(
    workspace: Workspace,
    journey: Journey,
    address: str,
    at: datetime,
    *,
    find_people: Callable[[str], Sequence[str]],
    customer: str = "",
    even_to_customers: bool = False,
) -> Sequence[TestMail]:
    """Send each message of a journey once, to one address; say what became of each.

    ``find_people`` says whose address it is. The words are those for ``customer``, or for
    the first whom the journey would reach.

    Raises:
        UsageError: the address is a customer's, is suppressed, or fits no channel of the
            journey.
        ConfigError: a channel's settings lack what every message needs.
    """
    if (owners := find_people(address)) and not even_to_customers:
        raise UsageError(
            f"{address} is the address of a customer ({owners[0]}), and a test is not for "
            "customers; name another, or say --even-to-customers"
        )
    if AddressBook(workspace.ledger, secret=workspace.secret).is_suppressed(address):
        raise UsageError(
            f"whoever has {address} is not to be written to, by a test either; name another address"
        )
    letters = write_letters(workspace, journey, at, customer=customer)
    first = {one.number: one for one in reversed(letters)}
    fitting = [one for _, one in sorted(first.items()) if _fits(workspace, one.channel, address)]
    if not fitting:
        raise UsageError(f"{address!r} is no address of any channel that {journey.name} uses")
    for channel in dict.fromkeys(one.channel for one in fitting):
        workspace.require_ready(channel)
    # It is written for the day of the facts, which may be old, and leaves now.
    return [_send(workspace, one, address, workspace.clock.now()) for one in fitting]


def _fits(workspace: Workspace, channel: Channel, address: str) -> bool:
    _, entry = find_outlet(workspace.config.channel(channel).outlet)
    can = entry.capabilities
    if can.is_asked_for or can.is_done_by_people or can.can_be_withdrawn:
        return False  # it would be taken, and nobody would see it
    kind = entry.capabilities.address_kind
    # Some kinds take any word: what looks like one of these is none of those.
    plain = (AddressKind.EMAIL, AddressKind.PHONE)
    looks = [one for one in plain if not find_problem(Address(one, address))]
    return kind in looks if looks else not find_problem(Address(kind, address))


def _send(workspace: Workspace, letter: Draft, address: str, at: datetime) -> TestMail:
    if letter.trouble:
        return TestMail(letter.step, letter.channel, False, letter.trouble)
    settings = workspace.config.channel(letter.channel)
    _, entry = find_outlet(settings.outlet)
    secrets = load_secrets(entry.secrets)
    outlet = entry.build(settings, base=workspace.directory, secrets=secrets)
    try:
        handed = HandOver(outlet)(_message(workspace, letter, address, at))
    finally:
        outlet.close()
    return TestMail(letter.step, letter.channel, handed.fate is Fate.ACCEPTED, _word(handed))


def _message(workspace: Workspace, letter: Draft, address: str, at: datetime) -> Message:
    _, entry = find_outlet(workspace.config.channel(letter.channel).outlet)
    marked = {name: MARK + letter.parts[name] for name in MARKED if letter.parts.get(name)}
    parts = {**letter.parts, **marked}
    if not marked:
        parts["text"] = MARK + parts.get("text", "")
    # Of this moment: a provider that knows keys takes tomorrow's test for another message.
    named = "\0".join((address, str(letter.number), at.isoformat()))
    return Message(
        key=f"test-{sha256(named.encode()).hexdigest()[:24]}",
        channel=letter.channel,
        person="",
        address=Address(entry.capabilities.address_kind, address),
        parts=parts,
        at=at,
        name=full_name(letter.reader.properties),
        links=Links(workspace.config.portal.page("u", NO_TOKEN)),
    )


def _word(handed: Handed) -> str:
    return handed.word or handed.fate.value
