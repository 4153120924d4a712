"""What the documents tell people to type exists, and their links lead somewhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from rekindle import cli
from tools.source_tree import ROOT, files

DOCUMENTS = [path for path in files() if path.suffix == ".md"]
PAGES = [ROOT / "README.md", *files(ROOT / "docs" / "tutorial"), *files(ROOT / "docs" / "how-to")]
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def examples() -> Iterator[Any]:
    for page in PAGES:
        for block in CONSOLE.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("$ rekindle"):
                    yield pytest.param(line.removeprefix("$ "), id=f"{page.name}: {line[2:60]}")


@cache
def root_command() -> Any:
    return typer.main.get_command(cli.app)


def understand(line: str) -> None:
    """Parse a command line as the program would, without running it."""
    command, words = root_command(), shlex.split(line, comments=True)[1:]
    parent = None
    while True:
        context = command.context_class(command, parent=parent, info_name=command.name)
        _, rest, _ = command.make_parser(context).parse_args(args=list(words))
        commands = getattr(command, "commands", None)
        if commands is None or not rest:
            assert not rest or len(rest) <= sum(p.nargs < 0 or p.nargs for p in command.params)
            return
        assert rest[0] in commands, f"no command {rest[0]!r}"
        parent, command, words = context, commands[rest[0]], rest[1:]


def anchors(page: Path) -> set[str]:
    titles = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("line", examples())
def test_a_documented_command_is_understood(line: str) -> None:
    understand(line)


@pytest.mark.parametrize("line", ["rekindle nonsense", "rekindle audit --nonsense"])
def test_a_wrong_command_is_not(line: str) -> None:
    with pytest.raises(Exception, match="nonsense"):
        understand(line)


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        if ":" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link
