"""The server that stands in for providers keeps what it was asked, and fails as it was told."""

from __future__ import annotations

import pytest
import requests

from tests.servers.recording import Answer, Fault, RecordingServer


def test_it_keeps_what_it_was_asked_and_answers_by_path_and_in_turn() -> None:
    with RecordingServer() as server, requests.Session() as session:
        server.answer("/v1", Answer(201, {"id": 1}), Answer(429, "wait", {"Retry-After": "7"}))
        first = session.post(
            f"{server.url}/v1/mail?a=1", json={"to": "ann"}, headers={"X-Key": "k"}
        )
        second = session.post(f"{server.url}/v1/mail", data={"to": "bob"})
        other = session.get(f"{server.url}/else")

    assert (first.status_code, first.json(), second.text) == (201, {"id": 1}, "wait")
    assert (second.status_code, second.headers["Retry-After"]) == (429, "7")
    assert (other.status_code, other.json()) == (200, {})
    asked, form, _ = server.requests
    assert (asked.method, asked.path, asked.query) == ("POST", "/v1/mail", {"a": ["1"]})
    assert (asked.json(), asked.headers["x-key"]) == ({"to": "ann"}, "k")
    assert form.form() == {"to": ["bob"]}
    assert server.connections_count == 1


@pytest.mark.parametrize("fault", Fault)
def test_it_fails_as_it_was_told(fault: Fault) -> None:
    with RecordingServer() as server:
        server.answer("/", Answer(200, "half", fault=fault))
        with pytest.raises(requests.RequestException):
            requests.post(server.url, data=b"x", timeout=0.2)
        assert [one.body for one in server.requests] == [b"x"]
