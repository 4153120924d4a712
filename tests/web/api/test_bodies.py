"""What is no batch, too much, packed strangely or from nobody we know is an error."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import pytest

from rekindle.web.api import build_api
from tests.web.api.caller import Caller, serving
from tests.web.api.fake_intake import FakeIntake


@pytest.fixture
def taken() -> FakeIntake:
    return FakeIntake()


@pytest.fixture
def caller(taken: FakeIntake) -> Iterator[Caller]:
    with serving(build_api(taken)) as port:
        yield Caller(port, "right")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"7",
        b'"batch"',
        b'{"batch": {}}',
        b"{}",
        b"[" * 200_000,
    ],
    ids=["empty", "cut off", "no text", "list", "number", "text", "no list", "nothing", "deep"],
)
def test_what_is_no_batch_is_a_bad_request(caller: Caller, body: bytes) -> None:
    answer = caller.ask("POST", "/v1/batch", body)
    assert (answer.status, answer.document["success"]) == (400, False)


def test_a_body_beyond_a_megabyte_is_too_large(caller: Caller) -> None:
    assert caller.ask("POST", "/v1/batch", b" " * (1024 * 1024 + 1)).status == 413


@pytest.mark.long
def test_a_bomb_is_not_unpacked(caller: Caller) -> None:
    bomb = gzip.compress(b" " * (200 * 1024 * 1024))
    assert len(bomb) < 1024 * 1024
    answer = caller.ask("POST", "/v1/batch", bomb, Content_Encoding="gzip")
    assert answer.status == 413
    assert "unpacked" in answer.document["error"]


@pytest.mark.parametrize(("packing", "status"), [("gzip", 400), ("br", 415), ("deflate", 415)])
def test_a_body_packed_otherwise_is_refused(caller: Caller, packing: str, status: int) -> None:
    assert caller.ask("POST", "/v1/batch", b"{}", Content_Encoding=packing).status == status


def test_a_packed_body_that_was_cut_off_is_refused(caller: Caller) -> None:
    body = gzip.compress(json.dumps({"batch": [caller.track("X")]}).encode())
    assert caller.ask("POST", "/v1/batch", body[:-9], Content_Encoding="gzip").status == 400


@pytest.mark.parametrize("header", ["", "Basic !!!", "Bearer rk_guessed", "Basic cmtfOg==", "x"])
def test_nobody_gets_in_without_a_key(caller: Caller, taken: FakeIntake, header: str) -> None:
    body = json.dumps({"batch": [caller.track("X")], "writeKey": ""}).encode()
    answer = caller.ask("POST", "/v1/batch", body, Authorization=header)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert taken.taken == []


def test_a_key_may_come_in_the_body_or_as_a_bearer_token(caller: Caller) -> None:
    body = json.dumps({"batch": [caller.track("X")], "writeKey": caller.secret}).encode()
    assert caller.ask("POST", "/v1/batch", body, Authorization="").status == 200
    bearer = f"Bearer {caller.secret}"
    assert caller.ask("POST", "/v1/batch", body, Authorization=bearer).status == 200
