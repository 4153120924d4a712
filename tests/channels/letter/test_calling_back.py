"""Letters at Lob are called back until their send date, once however often it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.channels import build_outlet, find_outlet
from rekindle.channels.letter.settings import LOB_KEY, LetterSettings
from rekindle.errors import (
    DeliveryError,
    OutletFaultError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.messages import ChangeKind, Effect, ListChange, Roster, Stay
from tests.channels.letter.posting import KEY, NOW, build_letter, settings
from tests.servers.recording import Answer, Fault, RecordingServer

LETTER = "/v1/letters/ltr_1"
CALL = ListChange(ChangeKind.REMOVE, "", ["ltr_1"], NOW)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


def lob(server: RecordingServer) -> LetterSettings:
    return settings("letter_lob", lob={"sender": "adr_1", "api_url": server.url})


@pytest.fixture
def roster(server: RecordingServer) -> Iterator[Roster]:
    _, entry = find_outlet("letter_lob")
    assert entry.capabilities.can_be_called_back
    assert entry.roster is not None
    roster = entry.roster(lob(server), base=Path(), secrets={LOB_KEY: KEY})
    yield roster
    roster.close()


@pytest.mark.parametrize(
    ("given", "hours"),
    [
        ((NOW + timedelta(hours=4)).isoformat(), 4),
        ((NOW + timedelta(hours=4)).replace(tzinfo=None).isoformat(), 4),
        ((NOW - timedelta(hours=1)).isoformat(), None),
        ("9999-12-31T00:00:00Z", None),
        ("soon", None),
        (17, None),
        (None, None),
    ],
)
def test_a_letter_can_be_called_back_until_its_send_date(
    server: RecordingServer, tmp_path: Path, given: object, hours: int | None
) -> None:
    server.answer("/v1/letters", Answer(200, {"id": "ltr_1", "send_date": given}))
    outlet = build_outlet("letter_lob", lob(server), base=tmp_path, secrets={LOB_KEY: KEY})
    message = build_letter()
    stay = outlet.send(message).stay
    outlet.close()
    until = None if hours is None else message.at + timedelta(hours=hours)
    assert stay == (None if until is None else Stay("", "ltr_1", until))


def test_calling_back_is_one_request(server: RecordingServer, roster: Roster) -> None:
    server.answer(LETTER, Answer(200, {"id": "ltr_1", "deleted": True}))
    request = roster.tell(CALL)
    assert roster.look(request, NOW, NOW) is Effect.EFFECTIVE
    assert [(one.method, one.path) for one in server.requests] == [("DELETE", LETTER)]


@pytest.mark.parametrize("lost", [404, 409, 422])
@pytest.mark.parametrize(
    ("status", "error"), [(429, TemporaryDeliveryError), (500, UnknownFateError)]
)
def test_as_long_as_nobody_says_what_became_of_it_it_is_not_too_late(
    server: RecordingServer, roster: Roster, lost: int, status: int, error: type[DeliveryError]
) -> None:
    server.answer(LETTER, Answer(lost, {}), Answer(status, {}))
    with pytest.raises(error):
        roster.tell(CALL)


def test_what_was_called_back_before_an_answer_was_lost_is_known_to_be(
    server: RecordingServer, roster: Roster
) -> None:
    server.answer(LETTER, Answer(404, {}), Answer(200, {"id": "ltr_1", "deleted": True}))
    assert roster.look(roster.tell(CALL), NOW, NOW) is Effect.EFFECTIVE
    assert [one.method for one in server.requests] == ["DELETE", "GET"]


@pytest.mark.parametrize(
    "answers",
    [
        (Answer(422, {}), Answer(200, {"id": "ltr_1"})),
        (Answer(404, {}), Answer(404, {})),
        (Answer(403, {"error": {"message": "upgrade"}}),),
    ],
)
def test_what_is_printed_already_came_too_late_and_is_asked_no_more(
    server: RecordingServer, roster: Roster, answers: tuple[Answer, ...]
) -> None:
    server.answer(LETTER, *answers)
    request = roster.tell(CALL)
    assert request
    assert roster.look(request, NOW, NOW) is Effect.MISSED


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(401, {"error": {"message": KEY}}), OutletFaultError),
        (Answer(429, {}), TemporaryDeliveryError),
        (Answer(503, "away"), TemporaryDeliveryError),
        (Answer(500, KEY), UnknownFateError),
        (Answer(fault=Fault.BREAKS_OFF), UnknownFateError),
    ],
)
def test_what_says_nothing_of_the_letter_is_asked_again(
    server: RecordingServer, roster: Roster, answer: Answer, error: type[DeliveryError]
) -> None:
    server.answer(LETTER, answer)
    with pytest.raises(DeliveryError) as raised:
        roster.tell(CALL)
    assert type(raised.value) is error
    assert KEY not in str(raised.value)
