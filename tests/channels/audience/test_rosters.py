"""What ad systems are told, and what their answers mean: against servers of the documented APIs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rekindle.channels import find_faults, find_outlet
from rekindle.channels.audience.members import google_member, meta_member
from rekindle.channels.audience.settings import AudienceSettings
from rekindle.consent import LegalStanding, Rule, decide_permission
from rekindle.errors import (
    ConfigError,
    DeliveryError,
    OutletFaultError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.gate import BookRules
from rekindle.messages import ChangeKind, Effect, ListChange, Roster, Severity, Surroundings
from rekindle.vocabulary import Channel, Purpose
from tests.servers.recording import Answer, Fault, RecordingServer

AT = datetime(2026, 11, 28, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
ADD, REMOVE = ChangeKind.ADD, ChangeKind.REMOVE
TOKEN = "EAAB-a-token-of-the-tests"
CANARY = "a message of the server"


@pytest.fixture(scope="session")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key.private_bytes(*form).decode()


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


def settings_of(server: RecordingServer, name: str) -> AudienceSettings:
    own = {"api_url": server.url, "audiences": {"lapsed": "238"}}
    if name == "google":
        own |= {"account": "123-456", "login_account": "99"}
    given: dict[str, Any] = {"outlet": f"audience_{name}", name: own, "timeout_seconds": 1}
    return AudienceSettings.model_validate(given)


@pytest.fixture
def meta(server: RecordingServer) -> Iterator[Roster]:
    server.answer("/v25.0/238/users", Answer(200, {"num_received": 1, "session_id": 7}))
    yield from _built("meta", server, {"REKINDLE_META_TOKEN": TOKEN})


@pytest.fixture
def google(server: RecordingServer, private_key: str) -> Iterator[Roster]:
    server.answer("/token", Answer(200, {"access_token": "ya29", "expires_in": 3600}))
    server.answer("/v1/audienceMembers", Answer(200, {"requestId": "r-1"}))
    yield from _built("google", server, {"REKINDLE_GOOGLE_ACCOUNT": _account(server, private_key)})


def _account(server: RecordingServer, private_key: str) -> str:
    return json.dumps(
        {
            "type": "service_account",
            "client_email": "rekindle@shop.iam.gserviceaccount.com",
            "private_key": private_key,
            "token_uri": f"{server.url}/token",
        }
    )


def _built(name: str, server: RecordingServer, secrets: dict[str, str]) -> Iterator[Roster]:
    _, entry = find_outlet(f"audience_{name}")
    assert entry.roster is not None
    roster = entry.roster(settings_of(server, name), base=Path(), secrets=secrets)
    yield roster
    roster.close()


def change(kind: ChangeKind, *members: str, name: str = "lapsed") -> ListChange:
    return ListChange(kind, name, members, AT)


def asked(server: RecordingServer, path: str) -> Any:
    return next(one for one in reversed(server.requests) if one.path.startswith(path))


@pytest.mark.parametrize(
    ("member", "written", "hashed"),
    [
        # https://developers.google.com/data-manager/api/get-started/formatting
        (google_member, " cloudySan Francisco@GMAIL.com", "cloudysanfrancisco@gmail.com"),
        (google_member, "Jefferson.Loves.Hiking@gmail.com", "jeffersonloveshiking@gmail.com"),
        (google_member, "a.b@googlemail.com", "ab@googlemail.com"),
        (google_member, "quinn.m@CYMBALGROUP.com", "quinn.m@cymbalgroup.com"),
        (meta_member, " John_Smith@Gmail.com ", "john_smith@gmail.com"),
        (meta_member, "Jefferson.Loves@gmail.com", "jefferson.loves@gmail.com"),
    ],
)
def test_addresses_are_written_as_each_wants_them(
    member: Callable[[str], str], written: str, hashed: str
) -> None:
    assert member(written) == sha256(hashed.encode()).hexdigest()


def test_meta_is_handed_hashes_in_a_session(meta: Roster, server: RecordingServer) -> None:
    assert meta.tell(change(ADD, "h1", "h2")) == "7"
    assert meta.tell(change(REMOVE, "h1")) == "7"
    add, remove = server.requests
    assert (add.method, remove.method) == ("POST", "DELETE")
    assert add.headers["authorization"] == f"Bearer {TOKEN}"
    form = {name: json.loads(values[0]) for name, values in add.form().items()}
    assert form["payload"] == {"schema": ["EMAIL_SHA256"], "data": [["h1"], ["h2"]]}
    session = form["session"]
    assert (session["batch_seq"], session["last_batch_flag"]) == (1, True)
    assert session["estimated_num_total"] == 2
    assert json.loads(remove.form()["payload"][0])["data"] == [["h1"]]
    assert json.loads(remove.form()["session"][0])["session_id"] != session["session_id"]
    assert meta.look("7", AT, AT + 23 * HOUR) is Effect.PENDING
    assert meta.look("7", AT, AT + 24 * HOUR) is Effect.EFFECTIVE


def error(code: int, subcode: int | None = None, **more: object) -> dict[str, Any]:
    return {"error": {"message": CANARY, "code": code, "error_subcode": subcode, **more}}


HANGS = Answer(fault=Fault.HANGS)
META: dict[str, tuple[Answer, type[DeliveryError]]] = {
    "token": (Answer(400, error(190)), OutletFaultError),
    "permission": (Answer(403, error(200)), OutletFaultError),
    "terms": (Answer(400, error(10)), OutletFaultError),
    "too often": (Answer(400, error(80003)), TemporaryDeliveryError),
    "its own fault": (Answer(500, error(2, is_transient=True)), TemporaryDeliveryError),
    "flagged": (Answer(400, error(100, 1713230)), TemporaryDeliveryError),
    "no such audience": (Answer(400, error(100)), TemporaryDeliveryError),
    "error inside": (Answer(200, error(190)), OutletFaultError),
    "nothing inside": (Answer(200, {}), UnknownFateError),
    "garbage": (Answer(200, b"<html>"), UnknownFateError),
    "hangs": (HANGS, UnknownFateError),
    "breaks": (Answer(502, b"bad gateway"), UnknownFateError),
    "reads none": (Answer(200, {"num_received": 1, "num_invalid_entries": 1}), RefusedContentError),
}


@pytest.mark.parametrize("what", META)
def test_what_meta_answers(meta: Roster, server: RecordingServer, what: str) -> None:
    answer, fault = META[what]
    server.answer("/v25.0/238/users", answer)
    with pytest.raises(fault) as raised:
        meta.tell(change(ADD, "h1"))
    assert type(raised.value) is fault
    assert TOKEN not in str(raised.value)


def rpc(code: int, status: str) -> Answer:
    return Answer(code, {"error": {"code": code, "message": CANARY, "status": status}})


GOOGLE: dict[str, tuple[Answer, type[DeliveryError]]] = {
    "key": (rpc(401, "UNAUTHENTICATED"), OutletFaultError),
    "permission": (rpc(403, "PERMISSION_DENIED"), OutletFaultError),
    "quota": (rpc(429, "RESOURCE_EXHAUSTED"), TemporaryDeliveryError),
    "away": (rpc(503, "UNAVAILABLE"), TemporaryDeliveryError),
    "this list": (rpc(400, "INVALID_ARGUMENT"), TemporaryDeliveryError),
    "within": (rpc(500, "INTERNAL"), UnknownFateError),
    "no id": (Answer(200, {}), UnknownFateError),
    "hangs": (HANGS, UnknownFateError),
}


@pytest.mark.parametrize("what", GOOGLE)
def test_what_google_answers(google: Roster, server: RecordingServer, what: str) -> None:
    answer, fault = GOOGLE[what]
    server.answer("/v1/audienceMembers", answer)
    with pytest.raises(fault) as raised:
        google.tell(change(REMOVE, "h1"))
    assert type(raised.value) is fault


def test_google_ingests_with_consent_and_removes_without(
    google: Roster, server: RecordingServer
) -> None:
    assert google.tell(change(ADD, "h1")) == "r-1"
    said = asked(server, "/v1/audienceMembers:ingest")
    assert said.headers["authorization"] == "Bearer ya29"
    assert said.json() == {
        "destinations": [
            {
                "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": "123456"},
                "loginAccount": {"accountType": "GOOGLE_ADS", "accountId": "99"},
                "productDestinationId": "238",
            }
        ],
        "audienceMembers": [{"userData": {"userIdentifiers": [{"emailAddress": "h1"}]}}],
        "encoding": "HEX",
        "validateOnly": False,
        "consent": {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"},
        "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
    }
    assert google.tell(change(REMOVE, "h1")) == "r-1"
    removed = asked(server, "/v1/audienceMembers:remove").json()
    assert {"consent", "termsOfService"}.isdisjoint(removed)


@pytest.mark.parametrize(
    ("states", "effect"),
    [
        (["SUCCESS"], Effect.EFFECTIVE),
        (["PARTIAL_SUCCESS"], Effect.EFFECTIVE),
        (["PROCESSING"], Effect.PENDING),
        (["FAILED"], Effect.FAILED),
        (["SUCCESS", "PROCESSING"], Effect.PENDING),
        ([], Effect.PENDING),
    ],
)
def test_google_says_later_what_became_of_it(
    google: Roster, server: RecordingServer, states: list[str], effect: Effect
) -> None:
    told = {"requestStatusPerDestination": [{"requestStatus": one} for one in states]}
    server.answer("/v1/requestStatus:retrieve", Answer(200, told))
    assert google.look("r 1", AT, AT + HOUR) is effect
    assert asked(server, "/v1/requestStatus").query == {"requestId": ["r 1"]}


@pytest.mark.parametrize("name", ["meta", "google"])
def test_a_list_that_is_named_no_more_stops_no_other(
    name: str, request: pytest.FixtureRequest, server: RecordingServer
) -> None:
    roster: Roster = request.getfixturevalue(name)
    with pytest.raises(TemporaryDeliveryError, match="names no 'gone'"):
        roster.tell(change(REMOVE, "h1", name="gone"))


def test_a_key_that_is_none_is_said_by_name(server: RecordingServer) -> None:
    with pytest.raises(ConfigError, match="REKINDLE_GOOGLE_ACCOUNT"):
        next(_built("google", server, {"REKINDLE_GOOGLE_ACCOUNT": "{}"}))


def test_the_doctor_asks_without_putting_anybody_on(
    server: RecordingServer, private_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REKINDLE_GOOGLE_ACCOUNT", _account(server, private_key))
    monkeypatch.setenv("REKINDLE_META_TOKEN", TOKEN)
    server.answer("/token", Answer(200, {"access_token": "ya29", "expires_in": 3600}))
    server.answer("/v1/audienceMembers", rpc(403, "PERMISSION_DENIED"))
    flagged = {"operation_status": {"code": 471, "description": "look at it"}}
    server.answer("/v25.0/238", Answer(200, flagged))
    for name, words in (("google", "PERMISSION_DENIED"), ("meta", "look at it")):
        folder, _ = find_outlet(f"audience_{name}")
        around = Surroundings("https://shop.example")
        (found,) = find_faults(folder, settings_of(server, name), around, looks_outside=True)
        assert found.severity is Severity.WARNS
        assert words in found.problem
    assert asked(server, "/v1/audienceMembers").json()["validateOnly"] is True
    assert {one.method for one in server.requests if one.path == "/v25.0/238"} == {"GET"}


def test_a_purchase_opens_no_list_of_ads() -> None:
    """Where a soft opt-in lets a mail go, ads need a yes of their own, wherever somebody lives."""
    folder, entry = find_outlet("audience_meta")
    terms = BookRules(soft_opt_in=True, channels={folder.channel: entry.capabilities})
    for channel, rule in ((folder.channel, Rule.NO_RECORD), (Channel("other"), Rule.SOFT_OPT_IN)):
        for place in ("JP", "CA"):
            claims = terms.claims_on(channel)
            standing = LegalStanding(channel, (place,), AT, AT, claims)
            found = decide_permission((), standing, purpose=Purpose.MARKETING, at=AT)
            assert found.is_granted is (rule is not Rule.NO_RECORD)
