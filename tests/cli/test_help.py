"""The help: every command under a task, ``-h`` everywhere, no terminal needed."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from rekindle.cli import app, main
from tests.cli.commands import rekindle


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, inner in getattr(group, "commands", {}).items():
        yield (*path, name)
        yield from commands(inner, (*path, name))


ALL = sorted(commands(typer.main.get_command(app)))


def test_every_command_is_listed_under_a_task() -> None:
    shown = rekindle("-h").out
    assert "─ Commands ─" not in shown
    assert {path[0] for path in ALL} <= set(shown.split())


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_is_asked_for_by_one_letter(path: tuple[str, ...]) -> None:
    done = rekindle(*path, "-h")
    assert done.code == 0
    assert "Usage: rekindle" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_no_help_holds_what_would_be_taken_for_markup() -> None:
    groups: list[Any] = [typer.main.get_command(app)]
    while groups:
        group = groups.pop()
        texts = [group.help or "", *(getattr(one, "help", None) or "" for one in group.params)]
        assert [text for text in texts if "[" in text] == []
        groups += getattr(group, "commands", {}).values()


def test_a_shell_completes_the_journeys_of_the_workspace(
    begun_shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_REKINDLE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"rekindle plan -C {begun_shop} ca")
    monkeypatch.setenv("COMP_CWORD", "4")
    with pytest.raises(SystemExit):
        main([])
    assert capsys.readouterr().out.split() == ["calm"]


def test_the_package_is_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["rekindle", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("rekindle", run_name="__main__")
    assert not ended.value.code
    assert capsys.readouterr().out.strip()


@pytest.mark.long
@pytest.mark.parametrize(
    ("started", "heavy"),
    [
        ("cli", "django duckdb ibis liquid numpy pyarrow scipy yaml"),
        ("worker", "pandas scipy.stats sklearn splink"),
    ],
)
def test_nothing_is_loaded_that_only_another_command_needs(started: str, heavy: str) -> None:
    """Loaded with the first line, it would take a second or two from every command."""
    loads = f"one for one in {heavy.split()} if one in sys.modules"
    program = f"import sys, rekindle.{started}; print(*[{loads}])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == []
