"""Keys are made, listed and revoked from the command line, and open the served API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rekindle.ledger import disconnect
from rekindle.runtime import Workspace
from rekindle.web.serving import build_site
from tests.cli.commands import refused, rekindle
from tests.web.api.caller import Caller, serving


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "rekindle.toml").write_text("[workspace]\n", encoding="utf-8")
    yield tmp_path
    disconnect(Workspace.open(tmp_path).ledger)


def make(folder: Path, name: str) -> str:
    answer = rekindle("key", "create", name, "--source", "web", "-C", folder)
    assert answer.code == 0
    return answer.out.strip()


def test_a_new_key_opens_the_api_until_it_is_revoked(folder: Path) -> None:
    secret = make(folder, "shop")
    with serving(build_site(Workspace.open(folder))) as port:
        caller = Caller(port, secret)
        assert caller.send(caller.track("Cart Abandoned")).status == 200
        assert caller.ask("GET", "/v1/openapi.json").document["openapi"] == "3.1.0"
    assert rekindle("key", "revoke", "shop", "-C", folder).code == 0
    with serving(build_site(Workspace.open(folder))) as port:
        assert Caller(port, secret).send().status == 401


def test_a_list_of_keys_holds_no_secret(folder: Path) -> None:
    secret = make(folder, "shop")
    answer = rekindle("key", "list", "--json", "-C", folder)
    (key,) = answer.document["keys"]
    assert (key["name"], key["source"], key["scopes"]) == ("shop", "web", ["events"])
    assert secret not in answer.out + rekindle("key", "list", "-C", folder).out


def test_a_name_is_taken_once_and_a_source_is_a_word(folder: Path) -> None:
    make(folder, "shop")
    taken = refused("key", "create", "shop", "--source", "web", "-C", folder)
    assert "another name" in taken
    assert "no source" in refused("key", "create", "x", "--source", "My Shop", "-C", folder)
    assert "key list" in refused("key", "revoke", "unknown", "-C", folder)
