"""A bad address is corrected by the next import, and a wrong suppression has a way back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rekindle.consent import ConsentRecord
from rekindle.desk import explain_customer, restore_address
from rekindle.errors import UsageError
from rekindle.journeys import Signal
from rekindle.ledger import MessageState
from rekindle.vocabulary import Channel, Purpose, Reason, SignalKind
from tests.runtime.shops import NOW, Team

DAY = timedelta(days=1)
EMAIL = Channel("email")
WHY = "she wrote to us from it today"


def suppressions(team: Team, person: str) -> set[tuple[str | None, str]]:
    found = explain_customer(team.workspace, person, team.clock.now()).suppressions
    return {(one.channel, one.reason) for one in found}


@pytest.mark.long
def test_two_addresses_in_one_cell_are_no_bounce_and_mended_by_an_import(team: Team) -> None:
    team.start("everyone")
    team.tick()
    person = team.someone("everyone")
    card = team.workspace.history.person(person)
    assert card is not None
    both = f"{card.address}; second@example.com"
    team.save_cards({person: {"email": both}})
    team.start("few")
    team.start("calm")
    team.tick(after=DAY)
    assert Reason.BOUNCE not in {one.reason for one in team.workspace.outbox.stuck()}
    assert suppressions(team, person) == set()
    reasons = team.reasons(person)
    assert Reason.BOUNCE not in reasons
    assert team.workspace.outbox.stuck() == []


@pytest.mark.long
def test_malformed_address_is_unreachable_with_a_word(team: Team) -> None:
    person = "c003"
    team.save_cards({person: {"email": "a@example.com; b@example.com", "email_consent": "yes"}})
    team.start("few")
    team.tick()
    decisions = team.workspace.history.decisions_of(person)
    if not decisions:
        pytest.skip("this seed has no purchase of theirs")
    assert decisions[-1].reason is Reason.UNREACHABLE
    assert decisions[-1].detail == "what the card holds is no e-mail address"
    assert team.states(person) == [MessageState.CANCELLED]
    assert suppressions(team, person) == set()


def test_a_bounce_is_lifted_with_evidence_and_logged(team: Team) -> None:
    space, person = team.workspace, "c003"
    team.tick()
    space.book.record([Signal(person, SignalKind.BOUNCE, NOW, "b", channel=EMAIL)], NOW)
    assert suppressions(team, person) == {("email", "bounce")}
    with pytest.raises(UsageError, match="say how you know"):
        restore_address(space, person, because="ok", who="ann")
    restore_address(space, person, because=WHY, who="ann")
    assert suppressions(team, person) == set()
    (entry,) = space.audit_log.entries(person)
    assert (entry.who, entry.detail["because"]) == ("ann", WHY)
    space.book.record([Signal(person, SignalKind.BOUNCE, NOW, "b2", channel=EMAIL)], NOW)
    assert suppressions(team, person) == {("email", "bounce")}
    restore_address(space, person, because=WHY, who="ann")
    assert suppressions(team, person) == set()


@pytest.mark.long
@pytest.mark.parametrize("kind", [SignalKind.OPT_OUT, SignalKind.COMPLAINT])
def test_a_persons_own_word_is_taken_back_by_that_person_alone(
    team: Team, kind: SignalKind
) -> None:
    space, person = team.workspace, "c003"
    team.tick()
    space.book.record([Signal(person, kind, NOW, "no", channel=EMAIL)], NOW)
    done = restore_address(space, person, because=WHY, who="ann")
    assert (done.lifted, len(done.kept)) == ((), 1)
    yes = ConsentRecord(person, EMAIL, True, NOW + DAY, "form", "Yes, write to me again")
    space.book.save_consent([yes])
    team.clock.move(2 * DAY)
    assert len(restore_address(space, person, because=WHY, who="ann").lifted) == 1
    # A complaint was about every channel, and the yes is to e-mail alone.
    others = set(space.capabilities) - {EMAIL} if kind is SignalKind.COMPLAINT else set()
    assert suppressions(team, person) == {(channel, "complaint") for channel in others}


@pytest.mark.long
def test_who_was_erased_or_stands_under_nothing_is_refused(team: Team) -> None:
    space = team.workspace
    team.tick()
    with pytest.raises(UsageError, match="nothing keeps messages"):
        restore_address(space, "c003", because=WHY, who="ann")
    space.book.suppress("c003", None, reason="erased", at=NOW, purpose=Purpose.MARKETING)
    assert restore_address(space, "c003", because=WHY, who="ann").lifted == ()
