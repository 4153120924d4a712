"""What is logged gives nobody the permission to act for a customer, nor a key."""

from __future__ import annotations

import logging

import pytest

from rekindle.cli.process.logs import PlainFormatter
from rekindle.consent import hide_permissions
from tests.web.portal.visitor import FakeOptOuts, Visitor


@pytest.mark.parametrize(("method", "is_broken"), [("PUT", False), ("POST", True), ("GET", False)])
def test_no_token_is_logged_whatever_becomes_of_the_request(
    visitor: Visitor,
    opt_outs: FakeOptOuts,
    link: str,
    caplog: pytest.LogCaptureFixture,
    method: str,
    is_broken: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    opt_outs.is_broken = is_broken
    visitor.ask(method, link)
    visitor.ask("GET", link + "x")
    visitor.ask("GET", f"/u/{link}")
    token = link.removeprefix("/u/")
    assert caplog.records
    assert token not in caplog.text
    assert token.partition(".")[2] not in caplog.text


def test_a_line_of_the_log_holds_no_key_and_steers_no_terminal() -> None:
    key = "rk_" + "a1B2-_" * 7
    record = logging.LogRecord(
        "x", logging.ERROR, "x.py", 1, "%s at /u/abc.def, %s\x1b[2J", ("Bearer " + key, key), None
    )
    line = PlainFormatter("%(message)s").format(record)
    assert line == "Bearer … at /u/…, …\N{REPLACEMENT CHARACTER}[2J"


def test_what_is_no_permission_stays() -> None:
    assert hide_permissions("a basic idea, see /users/1") == "a basic idea, see /users/1"
