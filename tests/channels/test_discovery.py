"""Every outlet is a folder with the same files, and is in the matrix."""

from __future__ import annotations

from pathlib import Path

import pytest

import rekindle.channels
from rekindle.channels import build_outlet, describe_channels, discover
from rekindle.channels.discovery import FILES
from rekindle.channels.email.settings import EmailSettings
from rekindle.errors import ConfigError

FOLDER = Path(rekindle.channels.__file__).parent


def test_every_outlet_has_the_same_files() -> None:
    assert set(discover()) == {p.name for p in FOLDER.iterdir() if (p / "outlet.py").exists()}
    for name in discover():
        found = {p.name for p in (FOLDER / name).iterdir() if p.is_file()}
        assert found == set(FILES), name


def test_every_outlet_is_a_choice_of_the_configuration() -> None:
    for folder in discover().values():
        choices = folder.settings.model_json_schema()["properties"]["outlet"]["enum"]
        assert sorted(choices) == sorted(one.name for one in folder.outlets)


def test_every_outlet_is_in_the_matrix() -> None:
    matrix = describe_channels()
    assert all(f"`{one.name}`" in matrix for f in discover().values() for one in f.outlets)


def test_an_unknown_outlet_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"email_folder, .*email_smtp"):
        build_outlet("carrier_pigeon", EmailSettings(), base=tmp_path, secrets={})
