"""Nothing is sent after the return: a purchase, an opt-out or a withdrawal stops it all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
import waitress

from rekindle.desk import report_journey
from rekindle.ledger import MessageState
from rekindle.runtime import Workspace
from rekindle.vocabulary import Reason
from rekindle.web.portal import build_portal
from tests.runtime.shops import DAY, NOW, Team

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def portal(begun: Team) -> Iterator[str]:
    """Serve the workspace's portal on a free port; yield its address."""
    space = Workspace.open(begun.folder, clock=begun.clock)
    server = waitress.create_server(build_portal(space), host="127.0.0.1", port=0, threads=1)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join()


def link_in(team: Team, person: str) -> str:
    """Return the path of the unsubscribe link in the message to a person."""
    (mail,) = team.mails(f"{person}@example.com")
    return urlsplit(str(mail["List-Unsubscribe"]).strip("<>")).path


@pytest.mark.draws(1)
@pytest.mark.parametrize("at", [NOW + HOUR, NOW - HOUR], ids=["after entry", "imported late"])
def test_a_purchase_ends_the_journey(begun: Team, at: object) -> None:
    person = begun.someone("calm")
    assert isinstance(at, type(NOW))
    begun.buys(person, at)
    assert begun.tick(after=DAY).returned >= 1
    assert begun.enrolment("calm", person).ended_reason is Reason.ORDER
    begun.tick(after=3 * DAY)
    assert len(begun.mails(f"{person}@example.com")) == 1
    assert report_journey(begun.workspace, "calm").sent_after_return == 0


@pytest.mark.long
def test_a_purchase_known_at_entry_ends_nothing(begun: Team) -> None:
    person = begun.someone("calm")
    known = begun.enrolment("calm", person).last_order_at
    assert known is not None
    begun.buys(person, known - HOUR)
    begun.tick(after=HOUR)
    assert begun.enrolment("calm", person).ended_at is None


@pytest.mark.long
def test_a_purchase_cancels_the_message_that_still_waits(team: Team) -> None:
    team.jam()
    team.start("few")
    team.tick()
    person = team.someone("few")
    assert team.states(person)[0] in (MessageState.QUEUED, MessageState.LEASED)
    team.buys(person, NOW + MINUTE)
    team.clear()
    team.tick(after=10 * MINUTE)
    assert team.states(person) == [MessageState.CANCELLED]
    assert team.mails(f"{person}@example.com") == []
    assert len(team.mails()) > 5


@pytest.mark.long
def test_a_withdrawal_in_the_customers_file_stops_messages(begun: Team) -> None:
    person = begun.someone("calm")
    said = {"email_consent": "false", "email_consent_at": (NOW + HOUR).isoformat()}
    begun.save_cards({person: said})
    begun.tick(after=4 * DAY)
    assert begun.reasons(person) == [None, Reason.NO_PERMISSION]
    assert len(begun.mails(f"{person}@example.com")) == 1


def test_a_withdrawal_cancels_the_message_that_still_waits(team: Team) -> None:
    team.jam()
    team.start("few")
    team.tick()
    person = team.someone("few")
    said = {"email_consent": "false", "email_consent_at": (NOW + MINUTE).isoformat()}
    team.save_cards({person: said})
    team.clear()
    team.tick(after=10 * MINUTE)
    assert team.states(person) == [MessageState.CANCELLED]
    assert team.mails(f"{person}@example.com") == []


@pytest.mark.long
def test_a_withdrawal_without_a_date_stops_messages_too(begun: Team) -> None:
    person = begun.someone("calm")
    begun.save_cards({person: {"email_consent": "false", "email_consent_at": ""}})
    begun.tick(after=4 * DAY)
    assert begun.reasons(person) == [None, Reason.NO_PERMISSION]


@pytest.mark.long
def test_one_click_leaves_the_list_at_once(begun: Team, portal: str) -> None:
    person = begun.someone("calm")
    begun.clock.move(HOUR)
    request = Request(
        portal + link_in(begun, person), data=b"List-Unsubscribe=One-Click", method="POST"
    )
    with urlopen(request, timeout=20) as answer:
        assert answer.status == 200
    ended = begun.enrolment("calm", person)
    assert (ended.ended_at, ended.ended_reason) == (NOW + HOUR, Reason.OPT_OUT)
    begun.tick(after=4 * DAY)
    assert len(begun.mails(f"{person}@example.com")) == 1


def test_looking_at_the_link_changes_nothing(begun: Team, portal: str) -> None:
    person = begun.someone("calm")
    with urlopen(portal + link_in(begun, person), timeout=20) as answer:
        assert "Wick &amp; Mug" in answer.read().decode()
    assert begun.enrolment("calm", person).ended_at is None


@pytest.mark.long
def test_who_left_is_not_written_to_by_any_journey_again(begun: Team, portal: str) -> None:
    person = begun.someone("calm")
    with urlopen(Request(portal + link_in(begun, person), data=b""), timeout=20) as answer:
        assert answer.status == 200
    begun.start("everyone")
    begun.tick(after=DAY)
    assert begun.reasons(person) == [None, Reason.SUPPRESSED]


@pytest.mark.long
def test_ids_found_to_be_one_person_while_under_way_stop_together(begun: Team) -> None:
    one, other = sorted({m.person for m in begun.workspace.history.messages_of("calm")})[:2]
    begun.save_cards({other: {"email": f"{one}@example.com"}})
    begun.buys(other, NOW + HOUR)
    begun.tick(after=4 * DAY)
    ended = {e.rotation: e.ended_reason for e in begun.enrolments("calm") if e.person == one}
    assert ended == {0: Reason.ORDER, 1: Reason.JOINED}  # one journey goes on once, and ends
    assert all(e.person != other for e in begun.enrolments("calm"))
    assert len(begun.mails(f"{one}@example.com")) == 1
