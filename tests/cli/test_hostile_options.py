"""Nothing an operator may write in an option or an argument ends in a traceback.

The commands are walked, not listed: one that is added is tried here too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from rekindle.cli import demo
from rekindle.cli.app import app
from rekindle.cli.demo.showing import make_folder
from tests.cli.commands import rekindle
from tests.runtime.shops import Team, close_ledgers

HALF_A_CHARACTER = "\udcff"  # how a byte that is no text reaches a program
LONG = "x" * 5_000
TEXTS = (LONG, HALF_A_CHARACTER, "\x1b[31m", "", "1e308", "nan", "²", "../../etc")
DATES = (
    "9999-12-31",
    "0001-01-01",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2262-04-12",
    "1677-09-20",
    "2026-02-30",
)
SPANS = ("99999999999 days", "3000000 days", "9" * 5000 + " weeks", "-1 days", "1e9 days")
NUMBERS = ("nan", "inf", "-inf", "1e308", "9" * 40, "-1")
# Nobody answers a question here, and a browser takes its pictures after every value was read.
FLAGS = {"yes": "--yes", "pictures": "--no-pictures"}
SERVING = ("worker", "up")  # they go on until they are stopped


def commands(group: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from commands(command, (*before, name))
        elif name not in SERVING:
            yield (*before, name)


ROOT = typer.main.get_command(app)
COMMANDS = list(commands(ROOT))


def parameters_of(words: tuple[str, ...]) -> list[Any]:
    command: Any = ROOT
    for word in words:
        command = command.commands[word]
    return list(command.params)


def written(parameter: Any, value: str) -> list[str]:
    name = parameter.opts[0]
    return [name, value] if name.startswith("-") else [value]


def sane(parameter: Any) -> str:
    """Return what is given for a parameter that is not the one under test."""
    known = {"journey": "calm", "predicate": "true", "because": "poor_fit", "of": "journey"}
    return known.get(parameter.name, "c015")


def hostile(parameter: Any) -> tuple[str, ...]:
    kind = str(parameter.type_descriptor.annotation)
    if "Path" in kind:
        return (LONG, "/dev/null/x", "")
    if "float" in kind or "int" in kind:
        return NUMBERS
    if parameter.name in ("as_of", "first", "last"):
        return DATES
    if parameter.name in ("snooze", "at_most_every", "lasting"):
        return SPANS
    return TEXTS


def lines(words: tuple[str, ...]) -> Iterator[list[str]]:
    """Yield command lines in which one parameter has a hostile value, the others none."""
    parameters = [one for one in parameters_of(words) if one.opts[0] != "-C"]
    flags = [flag for name, flag in FLAGS.items() if any(one.name == name for one in parameters)]
    for tried in parameters:
        if getattr(tried, "is_flag", False):
            continue
        for value in hostile(tried):
            line = list(flags)
            for one in parameters:
                if one is tried or one.required:
                    line += written(one, value if one is tried else sane(one))
            yield line


@pytest.fixture(scope="module")
def workspace(begun_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a workspace with a journey at work; what one line changes the next may find."""
    folder = tmp_path_factory.mktemp("hostile") / "shop"
    Team.copy(begun_shop, folder)
    yield folder
    close_ledgers()


@pytest.mark.draws(9)
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_hostile_value_is_a_message_or_done(
    words: tuple[str, ...], workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # `init` makes a workspace of any folder it is told
    for act in ("perform", "perform_club"):  # what they show is tried by their own tests
        monkeypatch.setattr(demo, act, lambda context, directory, *more: make_folder(directory))
    for line in lines(words):
        has_place = any(one.opts[0] == "-C" for one in parameters_of(words))
        place = ["-C", str(workspace)] if has_place else []
        answer = rekindle(*words, *line, *place)
        assert answer.code in (0, 1, 2), (words, [one[:40] for one in line])
        assert "Traceback" not in answer.err, line
