"""Names, ids and file names come from outside: none of them steers a terminal."""

from __future__ import annotations

import io
import json

import pytest

from rekindle.cli import console
from rekindle.cli.console import PlainConsole, show_json, show_json_rows, show_table

NASTY = "C1\x1b[31m\x07\x9b2J\u202egnp.exe\x00\x7f"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return what a terminal that takes colours is sent."""
    text = io.StringIO()
    terminal = PlainConsole(file=text, force_terminal=True, highlight=False, width=200)
    monkeypatch.setattr(console, "output", terminal)
    return text


def test_a_table_is_plain(written: io.StringIO) -> None:
    show_table(f"People {NASTY}", [NASTY, "n"], [[NASTY, "1"]], notes=[NASTY])
    show_table(NASTY, ["n"], [])
    sent = written.getvalue()
    assert not any(part in sent for part in ("\x1b[31m", "\x07", "\x9b", "\u202e", "\x00", "\x7f"))
    assert sent.count("gnp.exe") == 5


def test_a_line_is_plain_with_markup_and_without(written: io.StringIO) -> None:
    console.output.print(NASTY, markup=False)
    console.output.print(f"[bold]{NASTY}[/]")
    assert "\x1b[31m" not in written.getvalue()
    assert written.getvalue().count("gnp.exe") == 2


def test_json_says_the_same_and_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({"name": NASTY, "lines": "a\nb"})
    sent = capsys.readouterr().out
    assert not any(ord(c) < 32 and c != "\n" for c in sent)
    assert not any(c in sent for c in "\x7f\x9b\u202e")
    assert json.loads(sent) == {"name": NASTY, "lines": "a\nb"}


@pytest.mark.parametrize("count", [0, 1, 1000, 2500])
def test_rows_are_printed_one_after_the_other_as_if_at_once(
    capsys: pytest.CaptureFixture[str], count: int
) -> None:
    rows = [{"id": f"{NASTY}\u2028\n{number}", "at": None} for number in range(count)]
    show_json({"version": 1, "nested": {"a": []}, "rows": rows})
    at_once = capsys.readouterr().out
    show_json_rows({"version": 1, "nested": {"a": []}}, "rows", iter(rows))
    assert capsys.readouterr().out == at_once
    assert json.loads(at_once)["rows"] == rows
