"""``rekindle people``: whom a handle points at, and what somebody says of who is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rekindle.ledger import disconnect
from rekindle.runtime import Workspace
from tests.cli.commands import refused, rekindle

HEAD = "customer_id,email,first_name,last_name,postcode,phone\n"
SETTINGS = """
[workspace]
format = 1
name = "Shop"
currency = "GBP"
timezone = "UTC"
[[sources]]
name = "crm"
table = "customers"
path = "c.csv"
[sources.columns]
customer_id = "customer_id"
email = "email"
first_name = "first_name"
last_name = "last_name"
postcode = "postcode"
phone = "phone"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "rekindle.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "c.csv").write_text(
        HEAD
        + "C100,ada@example.org,Ada,King,N1,+44 20 7183 8750\n"
        + "C200,Ada@Example.org,Ada,King,N1,\n"
        + "C300,other@example.org,Ada,Kings,N1,\n",
        encoding="utf-8",
    )
    assert rekindle("import", "-C", tmp_path).code == 0
    yield tmp_path
    disconnect(Workspace.open(tmp_path).ledger)


def persons(folder: Path, handle: str) -> list[str]:
    found = rekindle("people", "find", handle, "--json", "-C", folder).document["people"]
    return [one["person"] for one in found]


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize(
    "handle",
    ["C100", "C200", "ada@example.org", "ADA@example.org ", "+442071838750", "0044 20 71838750"],
)
def test_a_person_is_found_by_any_handle(folder: Path, handle: str) -> None:
    assert persons(folder, handle) == ["C100"]


def test_a_handle_of_nobody_is_refused(folder: Path) -> None:
    assert "points at nobody" in refused("people", "find", "eve@example.org", "-C", folder)


@pytest.mark.long
def test_two_are_suggested_joined_and_split_by_hand(folder: Path) -> None:
    (pair,) = rekindle("people", "suggest", "--json", "-C", folder).document["suggestions"]
    assert (pair["one"], pair["other"]) == ("C100", "C300")
    told = ("--because", "she called", "--by", "ann", "-C", folder)
    assert rekindle("people", "join", "C100", "other@example.org", *told).code == 0
    assert persons(folder, "C300") == ["C100"]
    assert not rekindle("people", "suggest", "--json", "-C", folder).document["suggestions"]
    assert rekindle("people", "split", "C300", *told).code == 0
    assert persons(folder, "C300") == ["C300"]
    assert not rekindle("people", "suggest", "--json", "-C", folder).document["suggestions"]
    joins = rekindle("people", "log", "C300", "--json", "-C", folder).document["joins"]
    assert [(one["reason"], one["by"], one["undone_at"] is None) for one in joins] == [
        ("by_hand", "ann", False)
    ]


@pytest.mark.long
def test_what_somebody_split_no_import_joins_again(folder: Path) -> None:
    told = ("--because", "mother and daughter", "-C", folder)
    assert rekindle("people", "split", "C200", *told).code == 0
    assert rekindle("import", "-C", folder).code == 0
    (folder / "c.csv").write_text(
        HEAD + "C100,ada@example.org,Ada,King,N1,\nC200,ada@example.org,Ada,Queen,N1,\n",
        encoding="utf-8",
    )
    assert rekindle("import", "-C", folder).code == 0
    assert persons(folder, "C200") == ["C200"]
    assert "2 people: C100, C200" in refused("explain", "ada@example.org", "-C", folder)


@pytest.mark.long
def test_who_is_no_other_cannot_be_split(folder: Path) -> None:
    assert rekindle("people", "find", "C100", "-C", folder).code == 0
    message = refused("people", "split", "C100", "--because", "x", "-C", folder)
    assert "C200 can be split from it" in message
