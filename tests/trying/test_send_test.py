"""A test goes to one address of the team's, says that it is one, and is in no ledger."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest

from rekindle.desk import find_people
from rekindle.errors import ConfigError, UsageError
from rekindle.journeys import Person
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel
from rekindle.worker import TestMail, send_test
from tests.runtime.shops import NOW, Team, set_key

OURS = "anna@wick-and-mug.example"


def send(space: Workspace, to: str, *, even_to_customers: bool = False) -> Sequence[TestMail]:
    found = space.journey("calm")
    return send_test(
        space,
        found,
        to,
        NOW,
        find_people=partial(find_people, space),
        even_to_customers=even_to_customers,
    )


@pytest.mark.long
def test_each_step_is_sent_once_and_marked(team: Team) -> None:
    sent = send(team.workspace, OURS)
    assert [(one.step, one.is_sent) for one in sent] == [
        ("check-in", True),
        ("new-arrivals", True),
        ("nudge", True),
    ]
    mails = team.mails()
    assert {mail["To"].addresses[0].addr_spec for mail in mails} == {OURS}
    assert all(mail["Subject"].startswith("[Test] ") for mail in mails)
    assert "a-preview-leads-nowhere" in mails[0]["List-Unsubscribe"]
    assert not team.workspace.history.messages_of("calm")
    send(team.workspace, OURS)
    assert len(team.mails()) == 3  # of the same moment they are the same messages


@pytest.mark.long
def test_a_customer_is_not_written_to_by_mistake(team: Team) -> None:
    team.start("few")
    team.tick()
    team.workspace.outbox  # noqa: B018
    before = len(team.mails())
    address = team.mails()[0]["To"].addresses[0].addr_spec
    for spelling in (address, address.upper(), f" {address} "):
        with pytest.raises(UsageError, match="is the address of a customer"):
            send(team.workspace, spelling)
    assert len(team.mails()) == before
    assert all(one.is_sent for one in send(team.workspace, address, even_to_customers=True))


@pytest.mark.parametrize("is_erased", [False, True])
def test_whoever_said_no_gets_no_test_either(team: Team, is_erased: bool) -> None:
    space = team.workspace
    space.book.save_people([Person("x", "x@example.com")])
    space.book.suppress("x", Channel("email"), reason="opt_out", at=NOW)
    if is_erased:
        space.book.erase("x", NOW)
    with pytest.raises(UsageError, match="not to be written to"):
        send(space, "X@example.com", even_to_customers=True)


@pytest.mark.long
def test_what_is_no_address_is_refused(team: Team) -> None:
    with pytest.raises(UsageError, match="is no address of any channel that calm uses"):
        send(team.workspace, "+44 20 7946 0000")


@pytest.mark.long
def test_an_address_goes_to_the_channels_it_is_of(team: Team) -> None:
    several = """\
journey: several
enter: {audience: orders_count >= 1}
goal: {on: order, within: 30 days}
steps:
  - send: {channel: email, template: nudge}
  - send: {channel: sms, template: nudge}
  - send: {channel: push, template: nudge}
"""
    (team.folder / "journeys" / "several.yaml").write_text(several, encoding="utf-8")
    space = team.workspace
    sent = send_test(space, space.journey("several"), OURS, NOW, find_people=lambda address: ())
    assert [one.channel for one in sent] == ["email"]


@pytest.mark.long
def test_settings_that_lack_something_refuse_a_test_too(team: Team) -> None:
    set_key(team.folder, "postal_address", '""')
    with pytest.raises(ConfigError, match="postal_address is empty"):
        send(Workspace.open(team.folder), OURS)
