"""What the documents tell people to type exists, and their links lead somewhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import typer

from rekindle.content import VARIABLES, Form, load_templates
from rekindle.profiles import FAMILIES
from tools.source_tree import ROOT, files

DOCUMENTS = [path for path in files() if path.suffix == ".md"]
PAGES = [ROOT / "README.md", *files(ROOT / "docs" / "tutorial"), *files(ROOT / "docs" / "how-to")]
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
LIQUID = re.compile(r"^ *```liquid\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def examples() -> Iterator[Any]:
    for page in PAGES:
        for block in CONSOLE.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("$ rekindle"):
                    yield pytest.param(line.removeprefix("$ "), id=f"{page.name}: {line[2:60]}")


@pytest.fixture(scope="module")
def program() -> Any:
    return typer.main.get_command(import_module("rekindle.cli").app)


@pytest.fixture
def sample() -> Any:
    app = typer.Typer()
    jobs = typer.Typer()
    app.add_typer(jobs, name="jobs")

    @app.command()
    def audit(shop: str, days: int = 3) -> None: ...

    @jobs.command()
    def forget(*, everything: bool = False) -> None: ...

    return typer.main.get_command(app)


def understand(line: str, command: Any) -> None:
    """Parse a command line as the program would, without running it."""
    words, parent = shlex.split(line, comments=True)[1:], None
    while True:
        context = command.context_class(command, parent=parent, info_name=command.name)
        _, words, _ = command.make_parser(context).parse_args(args=words)
        inner = getattr(command, "commands", {})
        if not (words and inner):
            assert not words, f"too many arguments: {words}"
            return
        assert words[0] in inner, f"no command {words[0]!r}"
        parent, command, words = context, inner[words[0]], words[1:]


def anchors(page: Path) -> set[str]:
    titles = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def command_names(command: Any, path: str = "rekindle") -> Iterator[str]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from command_names(inner, f"{path} {name}")


def test_every_command_is_documented(program: Any) -> None:
    page = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    assert [name for name in command_names(program) if f"## `{name}`" not in page] == []


@pytest.mark.parametrize("line", list(examples()))
def test_a_documented_command_is_understood(line: str, program: Any) -> None:
    understand(line, program)


@pytest.mark.parametrize(
    "line",
    ["rekindle", "rekindle audit gifts --days 9", "rekindle jobs forget --everything  # all"],
)
def test_a_right_command_is_understood(line: str, sample: Any) -> None:
    understand(line, sample)


@pytest.mark.parametrize(
    "line",
    [
        "rekindle nonsense",
        "rekindle audit gifts --nonsense",
        "rekindle audit gifts nonsense",
        "rekindle jobs nonsense",
    ],
)
def test_a_wrong_command_is_not(line: str, sample: Any) -> None:
    with pytest.raises(Exception, match="nonsense"):
        understand(line, sample)


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        if ":" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def templates() -> Iterator[Any]:
    for page in PAGES:
        for number, block in enumerate(LIQUID.findall(page.read_text(encoding="utf-8"))):
            yield pytest.param(dedent(block), id=f"{page.name}: {number}")


@pytest.mark.parametrize("block", list(templates()))
def test_a_template_of_the_documents_uses_what_there_is(block: str, tmp_path: Path) -> None:
    (tmp_path / "shown.push.txt").write_text(block, encoding="utf-8")
    used = load_templates(tmp_path).variables("shown", Form("push"))
    unknown = {name for name in used if not name.startswith("blocks.")} - VARIABLES.keys()
    assert unknown <= set(FAMILIES.names)
